// Prints what is transcribed, from the first event of the log on, and goes on with what comes.
//
//	npx voxbus creds issue reader --read        prints the address
//	VOXBUS_BUS=nats://reader:...@127.0.0.1:PORT go run .
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type transcribed struct {
	Session string `json:"session"`
	Unit    int    `json:"unit"`
	Text    string `json:"text"`
}

func must[A any](value A, err error) A {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	bus := os.Getenv("VOXBUS_BUS")
	user := must(url.Parse(bus)).User.Username()
	// Replies come below a prefix of one's own: a user sees nobody else's.
	inbox := nats.CustomInboxPrefix("_INBOX_" + strings.ReplaceAll(user, "-", "_"))
	client := must(nats.Connect(bus, inbox))
	stream := must(jetstream.New(client))

	ctx := context.Background()
	consumer := must(stream.OrderedConsumer(ctx, "CALLS", jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"text.transcribed.call.>"},
	}))
	messages := must(consumer.Messages())
	for {
		message := must(messages.Next())
		var event transcribed
		if err := json.Unmarshal(message.Data(), &event); err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Session, event.Unit, event.Text)
	}
}
