package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/internal/saml/samltest"
)

const (
	acs      = "https://ref.reeve.example/auth/v1/sso/saml/acs"
	entityID = "https://ref.reeve.example/auth/v1/sso/saml/metadata"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// world is a provider and what verifies its responses.
type world struct {
	*samltest.IdP
	self saml.Self
	idp  saml.Provider
	want saml.Expected
}

func newWorld(t testing.TB) *world {
	p := samltest.New(t, "https://idp.example/metadata", now)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		IdP:  p,
		self: saml.Self{EntityIDs: []string{entityID}, ACS: []string{acs}, Keys: []*rsa.PrivateKey{key}},
		idp:  saml.Provider{EntityID: p.EntityID, Certificates: []*x509.Certificate{p.Certificate}},
		want: saml.Expected{RequestID: "_request", Now: now},
	}
}

// sound is a response that is accepted once it is signed.
func sound() samltest.Response {
	return samltest.Response{
		ACS: acs, Audience: entityID, RequestID: "_request", NameID: "ann", SessionIndex: "_s1", At: now,
		Attributes: map[string][]string{"email": {"ann@example.com"}, "groups": {"staff", "admins"}}, SignAssertion: true,
	}
}

func (w *world) verify(encoded string) (*saml.Assertion, saml.Report, error) {
	r, err := saml.ParseResponse(encoded)
	if err != nil {
		return nil, nil, err
	}
	return r.Verify(w.self, w.idp, w.want)
}

// refused checks that a response is refused by the check.
func (w *world) refused(t *testing.T, encoded string, check saml.Check) {
	t.Helper()
	a, _, err := w.verify(encoded)
	var r *saml.Refusal
	if !errors.As(err, &r) || a != nil {
		t.Fatalf("accepted: %+v, %v", a, err)
	}
	if r.Check != check || r.Reason == "" {
		t.Errorf("refused by %s (%s), want %s", r.Check, r.Reason, check)
	}
}

func TestSoundResponses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(r *samltest.Response){
		"assertion signed":       func(*samltest.Response) {},
		"response signed":        func(r *samltest.Response) { r.SignAssertion, r.SignResponse = false, true },
		"both signed":            func(r *samltest.Response) { r.SignResponse = true },
		"SHA-512":                func(r *samltest.Response) { r.Signature = crypto.SHA512 },
		"encrypted with GCM":     func(r *samltest.Response) { r.Encrypt = &w.self.Keys[0].PublicKey },
		"encrypted, both signed": func(r *samltest.Response) { r.Encrypt, r.SignResponse = &w.self.Keys[0].PublicKey, true },
		"encrypted, the response signed": func(r *samltest.Response) {
			r.Encrypt, r.SignResponse, r.SignAssertion = &w.self.Keys[0].PublicKey, true, false
		},
		"CBC in a signed response": func(r *samltest.Response) {
			r.Encrypt, r.CBC, r.SignResponse = &w.self.Keys[0].PublicKey, true, true
		},
		"conditions": func(r *samltest.Response) {
			r.Change = func(_, a *etree.Element) {
				conditions := a.SelectElement("saml:Conditions")
				once := conditions.CreateElement("saml:OneTimeUse")
				once.CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
				once.CreateAttr("xsi:type", "saml:OneTimeUseType")
				conditions.CreateElement("saml:ProxyRestriction").CreateAttr("Count", "0")
			}
		},
		"clock fast":  func(r *samltest.Response) { r.At = now.Add(saml.Skew - time.Second) },
		"old, though": func(r *samltest.Response) { r.At = now.Add(-saml.MaxAge - saml.Skew + time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			r := sound()
			change(&r)
			a, report, err := w.verify(w.Encoded(r))
			if err != nil {
				t.Fatalf("%v: %+v", err, report)
			}
			if a.NameID.Value != "ann" || a.SessionIndex != "_s1" || a.ID != "_assertion" || len(a.Attributes) != 2 || a.Encrypted != (r.Encrypt != nil) {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestWrapping is the eight signature wrapping attacks (Somorovsky et al., "On Breaking
// SAML: Be Whoever You Want to Be", 2012), as SAML Raider numbers them.
func TestWrapping(t *testing.T) {
	w := newWorld(t)
	evil := func(el *etree.Element) *etree.Element {
		el = el.Copy()
		id := el.SelectAttr("ID")
		id.Value += "_evil"
		for _, name := range el.FindElements("//NameID") {
			name.SetText("admin")
		}
		return el
	}
	unsigned := func(el *etree.Element) *etree.Element {
		el = el.Copy()
		if sig := el.SelectElement("ds:Signature"); sig != nil {
			el.RemoveChild(sig)
		}
		return el
	}
	signature := func(el *etree.Element) *etree.Element { return el.SelectElement("ds:Signature") }
	ofResponse := sound()
	ofResponse.SignResponse, ofResponse.SignAssertion = true, false
	for name, attack := range map[string]func() *etree.Element{
		"1": func() *etree.Element {
			original := w.Element(ofResponse)
			forged := evil(original)
			signature(forged).AddChild(unsigned(original))
			return forged
		},
		"2": func() *etree.Element {
			original := w.Element(ofResponse)
			forged := evil(original)
			forged.InsertChildAt(signature(forged).Index(), unsigned(original))
			return forged
		},
		"3": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			el.InsertChildAt(a.Index(), evil(unsigned(a)))
			return el
		},
		"4": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			forged := evil(unsigned(a))
			forged.AddChild(a)
			el.AddChild(forged)
			return el
		},
		"5": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			original := unsigned(a)
			forged := evil(a)
			el.RemoveChild(a)
			el.AddChild(forged)
			el.AddChild(original)
			return el
		},
		"6": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			original := unsigned(a)
			forged := evil(a)
			signature(forged).AddChild(original)
			el.RemoveChild(a)
			el.AddChild(forged)
			return el
		},
		"7": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(evil(unsigned(a)))
			el.InsertChildAt(1, extensions)
			return el
		},
		"8": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			original := unsigned(a)
			forged := evil(a)
			object := etree.NewElement("ds:Object")
			object.AddChild(original)
			signature(forged).AddChild(object)
			el.RemoveChild(a)
			el.AddChild(forged)
			return el
		},
		"the signature of another element": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			sig := signature(a).Copy()
			forged := evil(unsigned(a))
			forged.InsertChildAt(1, sig)
			el.RemoveChild(a)
			el.AddChild(forged)
			return el
		},
		"the assertion in the status": func() *etree.Element {
			el := w.Element(sound())
			a := el.SelectElement("saml:Assertion")
			el.RemoveChild(a)
			el.AddChild(evil(unsigned(a)))
			detail := el.SelectElement("samlp:Status").CreateElement("samlp:StatusDetail")
			detail.AddChild(a)
			return el
		},
	} {
		t.Run(name, func(t *testing.T) {
			check := saml.CheckForm
			if name == "the signature of another element" {
				check = saml.CheckSignature
			}
			w.refused(t, samltest.Encode(t, attack()), check)
		})
	}
}

// TestForgedResponses are responses that no provider of the connection made for this
// sign-in.
func TestForgedResponses(t *testing.T) {
	w := newWorld(t)
	other := samltest.New(t, w.EntityID, now) // another provider of the same name
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	in := func(el *etree.Element, path string) *etree.Element {
		found := el.FindElement(path)
		if found == nil {
			t.Fatalf("no %s", path)
		}
		return found
	}
	change := func(fn func(response, assertion *etree.Element)) func() string {
		return func() string {
			r := sound()
			r.Change = fn
			return w.Encoded(r)
		}
	}
	after := func(fn func(response *etree.Element)) func() string {
		return func() string {
			el := w.Element(sound())
			fn(el)
			return samltest.Encode(t, el)
		}
	}
	set := func(path, name, value string) func() string {
		return change(func(r, a *etree.Element) {
			el := a
			if path != "" {
				el = in(a, path)
			}
			el.CreateAttr(name, value)
		})
	}
	condition := func(tag string, attributes ...string) func() string {
		return change(func(_, a *etree.Element) {
			c := in(a, "./Conditions").CreateElement(tag)
			for i := 0; i < len(attributes); i += 2 {
				c.CreateAttr(attributes[i], attributes[i+1])
			}
			if tag == "saml:AudienceRestriction" {
				c.CreateElement("saml:Audience").SetText(entityID)
			}
		})
	}
	const xsi = "http://www.w3.org/2001/XMLSchema-instance"
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	for name, c := range map[string]struct {
		make  func() string
		check saml.Check
	}{
		"not signed":  {func() string { r := sound(); r.SignAssertion = false; return w.Encoded(r) }, saml.CheckSignature},
		"another key": {func() string { return other.Encoded(sound()) }, saml.CheckSignature},
		"another key, with our certificate": {func() string {
			r := sound()
			r.SignAssertion = false
			el := w.Element(r)
			a := el.SelectElement("saml:Assertion")
			el.RemoveChild(a)
			el.AddChild(samltest.SignWith(t, a, other.Key, w.Certificate, 0))
			return samltest.Encode(t, el)
		}, saml.CheckSignature},
		"condition of an extension": {condition("saml:Condition", "xmlns:xsi", xsi, "xmlns:del", "urn:oasis:names:tc:SAML:2.0:conditions:delegation",
			"xsi:type", "del:DelegationRestrictionType"), saml.CheckForm},
		"condition of another type":       {condition("saml:OneTimeUse", "xmlns:xsi", xsi, "xmlns:x", "urn:x", "xsi:type", "x:OneTimeUseType"), saml.CheckForm},
		"condition without a type":        {condition("saml:Condition"), saml.CheckForm},
		"condition of another name space": {condition("x:OneTimeUse", "xmlns:x", "urn:x"), saml.CheckForm},
		"condition of an unknown name":    {condition("saml:NotBeforeNoon"), saml.CheckForm},
		"audience of another kind":        {condition("saml:AudienceRestriction", "xmlns:xsi", xsi, "xmlns:x", "urn:x", "xsi:type", "x:AudienceType"), saml.CheckForm},
		"SHA-1":                           {func() string { r := sound(); r.Signature = crypto.SHA1; return w.Encoded(r) }, saml.CheckSignature},
		"name changed":                    {after(func(el *etree.Element) { in(el, "//NameID").SetText("admin") }), saml.CheckSignature},
		"attribute changed":               {after(func(el *etree.Element) { in(el, "//AttributeValue").SetText("admin@example.com") }), saml.CheckSignature},
		"signature emptied":               {after(func(el *etree.Element) { in(el, "//SignatureValue").SetText("") }), saml.CheckSignature},
		"signed info twice": {after(func(el *etree.Element) {
			sig := in(el, "//Signature")
			sig.AddChild(in(sig, "./SignedInfo").Copy())
		}), saml.CheckSignature},
		"digest twice": {after(func(el *etree.Element) {
			ref := in(el, "//Reference")
			ref.AddChild(in(ref, "./DigestValue").Copy())
		}), saml.CheckSignature},
		"reference to all": {after(func(el *etree.Element) { in(el, "//Reference").CreateAttr("URI", "") }), saml.CheckSignature},
		"XSLT": {after(func(el *etree.Element) {
			in(el, "//Transforms").ChildElements()[1].CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
		}), saml.CheckSignature},
		"XPath": {after(func(el *etree.Element) {
			in(el, "//Transforms").CreateElement("ds:Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
		}), saml.CheckSignature},
		"void canonicalization": {after(func(el *etree.Element) {
			in(el, "//CanonicalizationMethod").CreateAttr("Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
			in(el, "//Assertion").CreateAttr("xmlns:void", "relative/uri")
		}), saml.CheckSignature},
		"HMAC": {after(func(el *etree.Element) {
			in(el, "//SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
		}), saml.CheckSignature},
		"no algorithm":     {after(func(el *etree.Element) { in(el, "//SignatureMethod").RemoveAttr("Algorithm") }), saml.CheckSignature},
		"another issuer":   {change(func(_, a *etree.Element) { in(a, "./Issuer").SetText("https://evil.example") }), saml.CheckIssuer},
		"another audience": {change(func(_, a *etree.Element) { in(a, "//Audience").SetText("https://other.example") }), saml.CheckAudience},
		"no audience":      {change(func(_, a *etree.Element) { c := in(a, "./Conditions"); c.RemoveChild(c.ChildElements()[0]) }), saml.CheckAudience},
		"a second audience": {change(func(_, a *etree.Element) {
			in(a, "./Conditions").CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText("https://other.example")
		}), saml.CheckAudience},
		"another recipient":       {set(".//SubjectConfirmationData", "Recipient", acs+"/x"), saml.CheckRecipient},
		"another request":         {set(".//SubjectConfirmationData", "InResponseTo", "_other"), saml.CheckRecipient},
		"no end":                  {change(func(_, a *etree.Element) { in(a, ".//SubjectConfirmationData").RemoveAttr("NotOnOrAfter") }), saml.CheckRecipient},
		"not by the bearer":       {set(".//SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), saml.CheckRecipient},
		"another destination":     {change(func(r, _ *etree.Element) { r.CreateAttr("Destination", "https://other.example") }), saml.CheckDestination},
		"the response to another": {change(func(r, _ *etree.Element) { r.CreateAttr("InResponseTo", "_other") }), saml.CheckRequest},
		"unasked":                 {func() string { r := sound(); r.RequestID = ""; return w.Encoded(r) }, saml.CheckRequest},
		"expired":                 {set("./Conditions", "NotOnOrAfter", at(-saml.Skew)), saml.CheckTime},
		"not yet":                 {set("./Conditions", "NotBefore", at(saml.Skew+time.Second)), saml.CheckTime},
		"old":                     {set("", "IssueInstant", at(-saml.MaxAge-saml.Skew-time.Second)), saml.CheckAge},
		"of the future":           {set("", "IssueInstant", at(saml.Skew+time.Second)), saml.CheckAge},
		"no time":                 {set("", "IssueInstant", "yesterday"), saml.CheckAge},
		"session ended":           {set("./AuthnStatement", "SessionNotOnOrAfter", at(-saml.Skew)), saml.CheckStatement},
		"no sign-in":              {change(func(_, a *etree.Element) { a.RemoveChild(in(a, "./AuthnStatement")) }), saml.CheckStatement},
		"no name":                 {change(func(_, a *etree.Element) { in(a, ".//NameID").SetText(" ") }), saml.CheckSubject},
		"version 1.1":             {set("", "Version", "1.1"), saml.CheckForm},
		"no subject":              {change(func(_, a *etree.Element) { a.RemoveChild(in(a, "./Subject")) }), saml.CheckForm},
		"no conditions":           {change(func(_, a *etree.Element) { a.RemoveChild(in(a, "./Conditions")) }), saml.CheckForm},
		"text between":            {change(func(_, a *etree.Element) { a.AddChild(etree.NewText("admin")) }), saml.CheckForm},
		"a failure": {change(func(r, _ *etree.Element) {
			in(r, "//StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		}), saml.CheckStatus},
		"encrypted for another": {func() string { r := sound(); r.Encrypt = &other.Key.PublicKey; return w.Encoded(r) }, saml.CheckDecryption},
		"CBC in an unsigned response": {func() string {
			r := sound()
			r.Encrypt, r.CBC = &w.self.Keys[0].PublicKey, true
			return w.Encoded(r)
		}, saml.CheckDecryption},
		"ciphertext changed": {func() string {
			r := sound()
			r.Encrypt = &w.self.Keys[0].PublicKey
			r.Changed = func(response, _ *etree.Element) {
				v := in(response, "//EncryptedData/CipherData/CipherValue")
				raw, _ := base64.StdEncoding.DecodeString(v.Text())
				raw[len(raw)-1] ^= 1
				v.SetText(base64.StdEncoding.EncodeToString(raw))
			}
			return w.Encoded(r)
		}, saml.CheckDecryption},
		"short ciphertext": {func() string {
			r := sound()
			r.Encrypt = &w.self.Keys[0].PublicKey
			r.Changed = func(response, _ *etree.Element) {
				in(response, "//EncryptedData/CipherData/CipherValue").SetText("AAAA")
			}
			return w.Encoded(r)
		}, saml.CheckDecryption},
		"encrypted, not signed": {func() string {
			r := sound()
			r.Encrypt, r.SignAssertion = &w.self.Keys[0].PublicKey, false
			return w.Encoded(r)
		}, saml.CheckSignature},
		"encrypted and plain": {func() string {
			r := sound()
			r.Encrypt = &w.self.Keys[0].PublicKey
			r.Changed = func(response, a *etree.Element) { response.AddChild(a.Copy()) }
			return w.Encoded(r)
		}, saml.CheckForm},
		"expired certificate": {func() string {
			old := samltest.Certificate(t, w.Key, now.Add(-48*time.Hour), now.Add(-time.Hour))
			w.idp.Certificates = []*x509.Certificate{old}
			return w.Encoded(sound())
		}, saml.CheckSignature},
		"weak key": {func() string {
			cert := samltest.Certificate(t, weak, now.Add(-time.Hour), now.Add(time.Hour))
			w.idp.Certificates = []*x509.Certificate{cert}
			r := sound()
			r.SignAssertion = false
			el := w.Element(r)
			a := el.SelectElement("saml:Assertion")
			el.RemoveChild(a)
			el.AddChild(samltest.SignWith(t, a, weak, cert, 0))
			return samltest.Encode(t, el)
		}, saml.CheckSignature},
	} {
		t.Run(name, func(t *testing.T) {
			w.idp.Certificates = []*x509.Certificate{w.Certificate}
			w.refused(t, c.make(), c.check)
		})
	}
}

// TestHostileXML are documents that parsers read differently, or at a high price.
func TestHostileXML(t *testing.T) {
	w := newWorld(t)
	raw, err := base64.StdEncoding.DecodeString(w.Encoded(sound()))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	replace := func(old, by string) string {
		if !strings.Contains(doc, old) {
			t.Fatalf("no %q in the document", old)
		}
		return strings.Replace(doc, old, by, 1)
	}
	for name, hostile := range map[string]string{
		"comment in the name":       replace(">ann<", ">ann<!-- -->.evil<"),
		"processing instruction":    replace(">ann<", ">ann<?x y?><"),
		"document type":             `<!DOCTYPE x [<!ENTITY e "admin">]>` + doc,
		"entity":                    replace(">ann<", ">&e;<"),
		"external entity":           `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + replace(">ann<", ">&e;<"),
		"identifier twice":          replace(`ID="_response"`, `ID="_assertion"`),
		"attribute twice":           replace(`Version="2.0"`, `Version="2.0" Version="1.1"`),
		"prefix shadowed":           replace(`<saml:Subject>`, `<saml:Subject xmlns:saml="urn:evil">`),
		"prefix unknown":            replace(`<saml:Subject>`, `<saml:Subject evil:a="b">`),
		"prefix xml":                replace(`<saml:Subject>`, `<saml:Subject xmlns:xml="urn:evil">`),
		"two elements":              doc + doc,
		"text after":                doc + "x",
		"cut":                       doc[:len(doc)/2],
		"UTF-16":                    `<?xml version="1.0" encoding="UTF-16"?>` + doc,
		"NUL":                       replace(">ann<", ">a\x00nn<"),
		"bad UTF-8":                 replace(">ann<", ">a\xffnn<"),
		"deep":                      strings.Repeat("<a>", 5000),
		"many elements":             "<a>" + strings.Repeat("<b/>", 30_000) + "</a>",
		"many attributes":           "<a" + strings.Repeat(" b=\"\"", 1000) + "/>",
		"large":                     "<a>" + strings.Repeat(" ", saml.MaxMessage) + "</a>",
		"empty":                     "",
		"HTML":                      "<html><body>Sign in</body></html>",
		"another message":           strings.ReplaceAll(doc, "samlp:Response", "samlp:LogoutResponse"),
		"in no namespace":           strings.ReplaceAll(doc, "urn:oasis:names:tc:SAML:2.0:protocol", "urn:evil"),
		"colon in a name":           replace("<saml:Subject>", "<saml:Subject:x>"),
		"declaration inside":        replace("<saml:Subject>", `<?xml version="1.0"?><saml:Subject>`),
		"a closing tag too many":    doc + "</samlp:Response>",
		"default namespace emptied": replace("<saml:Subject>", `<saml:Subject xmlns:saml="">`),
	} {
		t.Run(name, func(t *testing.T) {
			w.refused(t, base64.StdEncoding.EncodeToString([]byte(hostile)), saml.CheckForm)
		})
	}
	w.refused(t, "%%%", saml.CheckForm)
}

// FuzzResponse: no input panics, and none that the provider did not sign is accepted.
func FuzzResponse(f *testing.F) {
	w := newWorld(f)
	for _, r := range []samltest.Response{sound(), {SignResponse: true, At: now}} {
		raw, _ := base64.StdEncoding.DecodeString(w.Encoded(r))
		f.Add(raw)
	}
	signed, _, err := w.verify(w.Encoded(sound()))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, _, err := w.verify(base64.StdEncoding.EncodeToString(raw))
		if err == nil && (a.NameID != signed.NameID || a.ID != signed.ID) {
			t.Errorf("accepted %+v of %q", a, raw)
		}
	})
}
