package zelf_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"zelf.world/go/zelf"
)

func TestSession(t *testing.T) {
	client := newClient(t, config())

	t.Run("a session has its token and its times", func(t *testing.T) {
		session := create(t, client, options(t))
		if !strings.HasPrefix(session.Token(), "eyJ") || session.Authorization() != "Bearer "+session.Token() {
			t.Errorf("the token is %q, the header %q", session.Token(), session.Authorization())
		}
		if lifetime := session.ExpiresAt().Sub(session.ActivatedAt()); lifetime != 600*time.Second {
			t.Errorf("it lives from %v to %v", session.ActivatedAt(), session.ExpiresAt())
		}
		if left := session.TimeLeft(); left > 600*time.Second || left < 590*time.Second {
			t.Errorf("%v are left", left)
		}
	})

	t.Run("a session has the options that it was made with", func(t *testing.T) {
		options := options(t)
		options.Type = zelf.SessionTypeDecryptWallet
		options.WebExtension = true
		options.Domain = "example"
		options.TagName = options.Identifier + ".zelf"
		options.EthAddress = "0x0123"
		session := create(t, client, options)
		if session.ID() == "" || session.Identifier() != options.Identifier || session.Domain() != "example" ||
			session.TagName() != options.TagName || session.EthAddress() != "0x0123" {
			t.Errorf("it has %q, %q, %q, %q, %q", session.ID(), session.Identifier(), session.Domain(),
				session.TagName(), session.EthAddress())
		}
		var sent struct {
			Type           string
			IsWebExtension bool
		}
		body := requests(t, options.Identifier)[0].Body
		if err := json.Unmarshal([]byte(body), &sent); err != nil || sent.Type != "decryptWallet" || !sent.IsWebExtension {
			t.Errorf("sent was %s", body)
		}
	})

	t.Run("KillSession makes another session", func(t *testing.T) {
		options := options(t)
		first := create(t, client, options)
		if same := create(t, client, options); same.ID() != first.ID() {
			t.Errorf("without it the session is %s, not %s", same.ID(), first.ID())
		}
		options.KillSession = true
		if other := create(t, client, options); other.ID() == first.ID() {
			t.Error("the session is the same")
		}
	})

	t.Run("Confirm asks again", func(t *testing.T) {
		options := options(t)
		options.Confirm = true
		create(t, client, options)
		if sent := len(requests(t, options.Identifier)); sent != 2 {
			t.Errorf("%d requests were sent", sent)
		}
	})

	t.Run("a session without an identifier must be asked for", func(t *testing.T) {
		_, err := client.CreateSession(within(t), &zelf.SessionOptions{TagName: "go.zelf"})
		failure(t, err, zelf.ErrInvalidArgument)
		if session := create(t, client, &zelf.SessionOptions{WithoutIdentifier: true}); session.Token() == "" {
			t.Error("there is no token")
		}
		if session := create(t, client, nil); session.Token() == "" {
			t.Error("there is no token without options")
		}
	})

	t.Run("no text form of a session shows its token", func(t *testing.T) {
		session := create(t, client, options(t))
		holder := struct {
			Session *zelf.Session
			hidden  *zelf.Session
		}{session, session}
		var forms []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
			forms = append(forms, fmt.Sprintf(verb, session), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, &holder))
		}
		marshalled, err := json.Marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		forms = append(forms, string(marshalled), fmt.Sprint(session), session.String(), session.GoString())
		// The signature is what makes the token a secret.
		secret := session.Token()[strings.LastIndex(session.Token(), ".")+1:]
		if len(secret) < 20 {
			t.Fatalf("the token has no signature: %q", secret)
		}
		for _, form := range forms {
			for _, coded := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
				if strings.Contains(form, coded) {
					t.Errorf("the token is in %s", form)
				}
			}
		}
		if !strings.Contains(string(marshalled), session.Identifier()) || !strings.Contains(session.String(), session.Identifier()) {
			t.Errorf("the identifier is missing in %s or %v", marshalled, session)
		}
	})

	t.Run("a getter of a closed session panics with ErrClosed", func(t *testing.T) {
		session := create(t, client, options(t))
		session.Close()
		session.Close()
		for name, getter := range map[string]func(){
			"Token":         func() { _ = session.Token() },
			"Authorization": func() { _ = session.Authorization() },
			"ID":            func() { _ = session.ID() },
			"Identifier":    func() { _ = session.Identifier() },
			"Domain":        func() { _ = session.Domain() },
			"TagName":       func() { _ = session.TagName() },
			"EthAddress":    func() { _ = session.EthAddress() },
			"ActivatedAt":   func() { _ = session.ActivatedAt() },
			"ExpiresAt":     func() { _ = session.ExpiresAt() },
			"TimeLeft":      func() { _ = session.TimeLeft() },
		} {
			if err := panicOf(getter); !errors.Is(err, zelf.ErrClosed) || !strings.Contains(err.Error(), "session") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if text := fmt.Sprint(session); text != "zelf.Session(closed)" {
			t.Errorf("its text is %q", text)
		}
		if _, err := json.Marshal(session); !errors.Is(err, zelf.ErrClosed) {
			t.Errorf("its JSON: %v", err)
		}
	})

	t.Run("a session may be closed while others use it", func(t *testing.T) {
		for round := 0; round < 20; round++ {
			session := create(t, client, nil)
			var users sync.WaitGroup
			for user := 0; user < 8; user++ {
				users.Add(1)
				go func() {
					defer users.Done()
					for panicOf(func() { _ = session.Token() }) == nil {
					}
				}()
			}
			session.Close()
			users.Wait()
		}
	})

	t.Run("the text forms of a session are safe while another goroutine closes it", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		for round := 0; round < 500; round++ {
			session, err := provider.Get(within(t))
			if err != nil {
				t.Fatal(err)
			}
			var users sync.WaitGroup
			for user := 0; user < 4; user++ {
				users.Add(1)
				go func() {
					defer users.Done()
					for isOpen := true; isOpen; {
						err := panicOf(func() {
							isOpen = session.String() != "zelf.Session(closed)"
							session.MarshalJSON()
						})
						if err != nil {
							t.Error(err)
							return
						}
					}
				}()
			}
			session.Close()
			users.Wait()
		}
	})
	t.Run("a time of more than 292 years is the longest duration", func(t *testing.T) {
		if left := zelf.InSeconds(math.MaxInt64); left != math.MaxInt64 {
			t.Errorf("it is %v", left)
		}
		if left := zelf.InSeconds(600); left != 10*time.Minute {
			t.Errorf("600 s are %v", left)
		}
	})
	t.Run("a session outlives its client", func(t *testing.T) {
		client := newClient(t, config())
		session := create(t, client, options(t))
		client.Close()
		if session.Token() == "" || session.TimeLeft() == 0 {
			t.Error("it has no token")
		}
	})
}

// panicOf returns the error with which a function panics, or nil.
func panicOf(function func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	function()
	return nil
}

func TestIdentifier(t *testing.T) {
	t.Run("a derived identifier depends on the device only", func(t *testing.T) {
		one, err := zelf.DeriveIdentifier("serial-1")
		if err != nil {
			t.Fatal(err)
		}
		same, _ := zelf.DeriveIdentifier("serial-1")
		other, _ := zelf.DeriveIdentifier("serial-2")
		if len(one) != 32 || one != same || one == other {
			t.Errorf("they are %s, %s and %s", one, same, other)
		}
	})
	t.Run("an unusable device id is an error", func(t *testing.T) {
		_, err := zelf.DeriveIdentifier("")
		failure(t, err, zelf.ErrInvalidArgument)
		_, err = zelf.DeriveIdentifier("serial\x001")
		failure(t, err, zelf.ErrInvalidArgument)
	})
	t.Run("a random identifier differs each time", func(t *testing.T) {
		if one, other := identifier(t), identifier(t); len(one) != 32 || one == other {
			t.Errorf("they are %s and %s", one, other)
		}
	})
}
