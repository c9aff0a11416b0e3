package sms

import "github.com/reevehq/reeve/internal/message"

// Sent is the answer to a request for a text message; empty for a mail.
type Sent struct {
	MessageID string `json:"message_id,omitempty"`
}

// Answer returns the answer with the id of Post.
func Answer(id string, err error) (Sent, error) { return Sent{MessageID: id}, err }

// Channel is the channel of a request; SMS when it names none. An unknown one is
// refused by Post.
func Channel(name string) message.Channel {
	if name == "" {
		return message.SMS
	}
	return message.Channel(name)
}
