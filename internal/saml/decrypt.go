package saml

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

const nsEncrypt11 = "http://www.w3.org/2009/xmlenc11#"

// errDecrypt is all that is told about an assertion that cannot be decrypted: more
// would help whoever tries changed ones.
var errDecrypt = errors.New("the assertion cannot be decrypted: the identity provider has encrypted it for another key than this service's current one")

// decrypt decrypts an EncryptedAssertion (XML Encryption 1.1): the key by RSA-OAEP, the
// content by AES-GCM. AES-CBC is accepted only in a response whose signature was
// verified: its ciphertext can be changed, and the answers to changed ones would tell
// what it hides.
func decrypt(el *etree.Element, keys []*rsa.PrivateKey, signed bool) (*etree.Element, error) {
	data := only(el, nsEncrypt, "EncryptedData")
	if data == nil {
		return nil, errors.New("the encrypted assertion has no content")
	}
	wrapped := only(el, nsEncrypt, "EncryptedKey")
	if info := only(data, nsDigest, "KeyInfo"); info != nil && wrapped == nil {
		wrapped = only(info, nsEncrypt, "EncryptedKey")
	}
	if wrapped == nil {
		return nil, errors.New("the encrypted assertion has no key, or several")
	}
	size, authenticated, err := contentCipher(data)
	if err != nil {
		return nil, err
	}
	if !authenticated && !signed {
		return nil, errors.New("the assertion is encrypted with AES-CBC in a response that is not signed: have the identity provider sign the response too, or encrypt with AES-GCM")
	}
	oaep, err := keyTransport(wrapped)
	if err != nil {
		return nil, err
	}
	sealedKey, err := decodeBase64(cipherValue(wrapped))
	if err != nil {
		return nil, errDecrypt
	}
	sealed, err := decodeBase64(cipherValue(data))
	if err != nil {
		return nil, errDecrypt
	}
	for _, key := range keys {
		content, err := key.Decrypt(nil, sealedKey, oaep)
		if err != nil || len(content) != size {
			continue
		}
		plain, err := open(content, sealed, authenticated)
		if err != nil {
			return nil, errDecrypt
		}
		root, err := parse(plain, ofMessage)
		if err != nil {
			return nil, errDecrypt
		}
		return root, nil
	}
	return nil, errDecrypt
}

// contentCipher returns the length of the content's key.
func contentCipher(data *etree.Element) (size int, authenticated bool, err error) {
	switch alg := algorithmOf(data); alg {
	case nsEncrypt11 + "aes128-gcm":
		return 16, true, nil
	case nsEncrypt11 + "aes192-gcm":
		return 24, true, nil
	case nsEncrypt11 + "aes256-gcm":
		return 32, true, nil
	case nsEncrypt + "aes128-cbc":
		return 16, false, nil
	case nsEncrypt + "aes192-cbc":
		return 24, false, nil
	case nsEncrypt + "aes256-cbc":
		return 32, false, nil
	default:
		return 0, false, fmt.Errorf("the encryption %.100q is not accepted: AES-GCM is", alg)
	}
}

// keyTransport returns the digests of RSA-OAEP, which is safe with SHA-1, the default
// of the specification.
func keyTransport(wrapped *etree.Element) (*rsa.OAEPOptions, error) {
	method := only(wrapped, nsEncrypt, "EncryptionMethod")
	if method == nil {
		return nil, errors.New("the encrypted key does not name its algorithm")
	}
	oaep := &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	switch alg := attr(method, "Algorithm"); alg {
	case nsEncrypt + "rsa-oaep-mgf1p":
	case nsEncrypt11 + "rsa-oaep":
		if mgf := only(method, nsEncrypt11, "MGF"); mgf != nil {
			if oaep.MGFHash = oaepDigests[attr(mgf, "Algorithm")]; oaep.MGFHash == 0 {
				return nil, errors.New("the mask of the encrypted key is not accepted")
			}
		}
	default:
		return nil, fmt.Errorf("the encryption of the key %.100q is not accepted: RSA-OAEP is", alg)
	}
	if digest := only(method, nsDigest, "DigestMethod"); digest != nil {
		if oaep.Hash = oaepDigests[attr(digest, "Algorithm")]; oaep.Hash == 0 {
			return nil, errors.New("the digest of the encrypted key is not accepted")
		}
	}
	return oaep, nil
}

var oaepDigests = map[string]crypto.Hash{
	digestSHA1: crypto.SHA1, digestSHA256: crypto.SHA256, digestSHA384: crypto.SHA384, digestSHA512: crypto.SHA512,
	nsEncrypt11 + "mgf1sha1": crypto.SHA1, nsEncrypt11 + "mgf1sha256": crypto.SHA256,
	nsEncrypt11 + "mgf1sha384": crypto.SHA384, nsEncrypt11 + "mgf1sha512": crypto.SHA512,
}

// open decrypts the content.
func open(key, sealed []byte, authenticated bool) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if authenticated {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		if len(sealed) < gcm.NonceSize() {
			return nil, errDecrypt
		}
		return gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	}
	const size = aes.BlockSize
	if len(sealed) < 2*size || len(sealed)%size != 0 {
		return nil, errDecrypt
	}
	plain := make([]byte, len(sealed)-size)
	cipher.NewCBCDecrypter(block, sealed[:size]).CryptBlocks(plain, sealed[size:])
	pad := int(plain[len(plain)-1]) // the other bytes of it are arbitrary
	if pad < 1 || pad > size {
		return nil, errDecrypt
	}
	return plain[:len(plain)-pad], nil
}

func algorithmOf(el *etree.Element) string {
	if m := only(el, nsEncrypt, "EncryptionMethod"); m != nil {
		return attr(m, "Algorithm")
	}
	return ""
}

func cipherValue(el *etree.Element) string {
	if data := only(el, nsEncrypt, "CipherData"); data != nil {
		return text(only(data, nsEncrypt, "CipherValue"))
	}
	return ""
}
