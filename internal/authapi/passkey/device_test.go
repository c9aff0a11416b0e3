package passkey_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/testkit/authenticator"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

// enabled switches passkeys on.
func enabled(c *tenants.Config) { c.PasskeyEnabled, c.MailerAutoconfirm = true, true }

// device is an authenticator with one passkey.
type device struct {
	*authenticator.Device
	id string // of the passkey at the project
}

func newDevice(o authenticator.Options) *device {
	return &device{Device: authenticator.New(authenticator.EC, o)}
}

// begin begins a ceremony and returns the challenge's id and the options.
func begin(t *testing.T, p *flowtest.Project, ceremony string, o ...flowtest.Option) (id string, options any) {
	t.Helper()
	res := p.Do(t, "POST", "/passkeys/"+ceremony+"/options", m{}, o...).Want(200)
	return res.Get("challenge_id"), res.JSON["options"]
}

func end(t *testing.T, p *flowtest.Project, ceremony, id string, credential any, o ...flowtest.Option) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/passkeys/"+ceremony+"/verify", m{"challenge_id": id, "credential": credential}, o...)
}

// add adds the device's passkey to the user of a session.
func (d *device) add(t *testing.T, p *flowtest.Project, access string) *flowtest.Response {
	t.Helper()
	user := flowtest.User(access)
	id, options := begin(t, p, "registration", user)
	res := end(t, p, "registration", id, d.Create(t, options), user)
	d.id = res.Get("id")
	return res
}

// signIn signs in with the device's passkey.
func (d *device) signIn(t *testing.T, p *flowtest.Project) *flowtest.Response {
	t.Helper()
	id, options := begin(t, p, "authentication")
	return end(t, p, "authentication", id, d.Get(t, options))
}

// copy returns a copy of the device.
func (d *device) copy() *device {
	copied := *d.Device
	return &device{Device: &copied, id: d.id}
}
