package samltest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the default of RSA-OAEP in XML Encryption
	"encoding/base64"

	"github.com/beevik/etree"
)

const (
	xenc   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11 = "http://www.w3.org/2009/xmlenc11#"
)

// encrypt returns an assertion as an EncryptedAssertion.
func (p *IdP) encrypt(assertion *etree.Element, to *rsa.PublicKey, cbc bool) *etree.Element {
	p.t.Helper()
	doc := etree.NewDocument()
	doc.SetRoot(assertion.Copy())
	plain, err := doc.WriteToBytes()
	p.must(err)
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	p.must(err)
	var sealed []byte
	algorithm := xenc11 + "aes128-gcm"
	if cbc {
		algorithm = xenc + "aes128-cbc"
		pad := aes.BlockSize - len(plain)%aes.BlockSize
		plain = append(plain, make([]byte, pad)...)
		plain[len(plain)-1] = byte(pad)
		sealed = make([]byte, aes.BlockSize+len(plain))
		_, _ = rand.Read(sealed[:aes.BlockSize])
		cipher.NewCBCEncrypter(block, sealed[:aes.BlockSize]).CryptBlocks(sealed[aes.BlockSize:], plain)
	} else {
		gcm, err := cipher.NewGCM(block)
		p.must(err)
		nonce := make([]byte, gcm.NonceSize())
		_, _ = rand.Read(nonce)
		sealed = gcm.Seal(nonce, nonce, plain, nil)
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, to, key, nil) //nolint:gosec // as above
	p.must(err)
	el := etree.NewElement("saml:EncryptedAssertion")
	data := el.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", xenc)
	data.CreateAttr("Type", xenc+"Element")
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", algorithm)
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	k := info.CreateElement("xenc:EncryptedKey")
	k.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", xenc+"rsa-oaep-mgf1p")
	k.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(wrapped))
	data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(sealed))
	return el
}

func (p *IdP) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}
