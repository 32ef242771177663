package zelf_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zelf.world/go/zelf"
)

func TestConfig(t *testing.T) {
	t.Run("Origin and UserAgent are sent", func(t *testing.T) {
		settings := config()
		settings.Origin, settings.UserAgent = "https://app.example", "a-go-program/1"
		options := options(t)
		create(t, newClient(t, settings), options)
		sent := requests(t, options.Identifier)[0]
		if sent.header("Origin") != "https://app.example" || sent.header("User-Agent") != "a-go-program/1" {
			t.Errorf("sent was %v", sent.Headers)
		}
	})
	t.Run("BaseURL and Origin tell what the client uses", func(t *testing.T) {
		client := newClient(t, &zelf.Config{BaseURL: "HTTPS://LOCALHOST:443/v1/", CAFile: ca})
		client.Close()
		if client.BaseURL() != "https://localhost/v1" || client.Origin() != "https://localhost" {
			t.Errorf("they are %q and %q", client.BaseURL(), client.Origin())
		}
	})
	t.Run("MaxAttempts limits the attempts", func(t *testing.T) {
		fault(t, object{"kind": "answer", "status": 503})
		settings := config()
		settings.MaxAttempts = 1
		options := options(t)
		_, err := newClient(t, settings).CreateSession(within(t), options)
		failure(t, err, zelf.ErrServer)
		if sent := len(requests(t, options.Identifier)); sent != 1 {
			t.Errorf("%d requests were sent", sent)
		}
	})
	t.Run("Timeout limits the call", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request"})
		settings := config()
		settings.Timeout = 200 * time.Millisecond
		start := time.Now()
		_, err := newClient(t, settings).CreateSession(within(t), options(t))
		failure(t, err, zelf.ErrTimeout)
		if took := time.Since(start); took < 200*time.Millisecond || took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("ConnectTimeout limits a connection", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "tls"})
		settings := config()
		settings.ConnectTimeout, settings.MaxAttempts = 200*time.Millisecond, 1
		start := time.Now()
		_, err := newClient(t, settings).CreateSession(within(t), options(t))
		failure(t, err, zelf.ErrTimeout)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("a part of a millisecond is a time limit and not the default", func(t *testing.T) {
		settings := config()
		settings.Timeout = time.Nanosecond
		start := time.Now()
		_, err := newClient(t, settings).CreateSession(within(t), options(t))
		failure(t, err, zelf.ErrTimeout)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("CAPEM trusts certificates from memory", func(t *testing.T) {
		pem, err := os.ReadFile(ca)
		if err != nil {
			t.Fatal(err)
		}
		create(t, newClient(t, &zelf.Config{BaseURL: secure, CAPEM: pem}), options(t))
	})
	t.Run("Pins refuse other keys", func(t *testing.T) {
		settings := config()
		settings.Pins = []string{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
		_, err := newClient(t, settings).CreateSession(within(t), options(t))
		failure(t, err, zelf.ErrPinMismatch)
		settings.Pins = append(settings.Pins, os.Getenv("ZELF_PIN"))
		create(t, newClient(t, settings), options(t))
	})
	t.Run("Proxy is used", func(t *testing.T) {
		settings := config()
		settings.Proxy = plain
		before := len(tunnels(t))
		create(t, newClient(t, settings), options(t))
		if len(tunnels(t)) != before+1 {
			t.Error("there was no tunnel")
		}
	})
	t.Run("ProxyFromEnv reads the environment", func(t *testing.T) {
		for _, name := range []string{"no_proxy", "NO_PROXY"} {
			t.Setenv(name, "")
		}
		t.Setenv("https_proxy", plain)
		before := len(tunnels(t))
		create(t, newClient(t, config()), options(t))
		if len(tunnels(t)) != before {
			t.Error("there was a tunnel without it")
		}
		settings := config()
		settings.ProxyFromEnv = true
		create(t, newClient(t, settings), options(t))
		if len(tunnels(t)) != before+1 {
			t.Error("there was no tunnel")
		}
	})
	t.Run("Log receives messages up to LogLevel without a token", func(t *testing.T) {
		for level, isLogged := range map[zelf.LogLevel]bool{zelf.LogDebug: true, 0: false} {
			var mutex sync.Mutex
			var messages []string
			settings := config()
			settings.LogLevel = level
			settings.Log = func(level zelf.LogLevel, message string) {
				mutex.Lock()
				defer mutex.Unlock()
				messages = append(messages, fmt.Sprint(level, " ", message))
			}
			client := newClient(t, settings)
			session := create(t, client, options(t))
			if err := client.Shutdown(within(t)); err != nil {
				t.Fatal(err)
			}
			if (len(messages) > 0) != isLogged {
				t.Errorf("level %d: %q", level, messages)
			}
			if strings.Contains(fmt.Sprint(messages), session.Token()) {
				t.Error("the token is in the log")
			}
		}
	})
	t.Run("a Log without LogLevel receives warnings", func(t *testing.T) {
		var warnings atomic.Int32
		settings := config()
		settings.Log = func(level zelf.LogLevel, message string) {
			if level == zelf.LogWarning {
				warnings.Add(1)
			}
		}
		fault(t, object{"kind": "answer", "status": 503, "times": 1})
		client := newClient(t, settings)
		create(t, client, options(t))
		if warnings.Load() == 0 {
			t.Error("it has received none")
		}
	})
	t.Run("an unusable setting is an error that names it", func(t *testing.T) {
		for words, settings := range map[string]zelf.Config{
			"base URL":    {BaseURL: "ftp://example.com"},
			"origin":      {Origin: "a\nb"},
			"NUL":         {Origin: "https://a\x00b"},
			"agent":       {UserAgent: "é"},
			"negative":    {Timeout: -time.Second},
			"attempts":    {MaxAttempts: -1},
			"missing.pem": {CAFile: "/missing.pem"},
			"CA text":     {CAPEM: []byte{}},
			"pin":         {Pins: []string{"short"}},
			"proxy":       {Proxy: "gopher://proxy"},
		} {
			settings := settings
			client, err := zelf.NewClient(&settings)
			if client != nil || err == nil {
				t.Fatalf("%s: there is a client", words)
			}
			if err := failure(t, err, zelf.ErrInvalidConfig); !strings.Contains(err.Error(), words) {
				t.Errorf("the message for %s is %q", words, err)
			}
		}
	})
	t.Run("no text form of a Config shows the password of a proxy", func(t *testing.T) {
		settings := zelf.Config{BaseURL: "https://user:secret@api.example", Proxy: "http://user:secr@secret@proxy.example:8080"}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, text := range []string{fmt.Sprintf(verb, settings), fmt.Sprintf(verb, &settings)} {
				if strings.Contains(text, "secr") || !strings.Contains(text, "proxy.example:8080") || !strings.Contains(text, "api.example") {
					t.Errorf("%s shows %s", verb, text)
				}
			}
		}
	})
	t.Run("nil means the public API", func(t *testing.T) {
		newClient(t, nil)
	})
}

func tunnels(t *testing.T) (found []received) {
	for _, request := range requests(t, "") {
		if request.Method == "CONNECT" {
			found = append(found, request)
		}
	}
	return found
}

func TestClient(t *testing.T) {
	t.Run("twenty goroutines create sessions at once", func(t *testing.T) {
		atOnce(t, 20, newClient(t, config()))
	})
	t.Run("a thousand goroutines create sessions at once", func(t *testing.T) {
		settings := config()
		settings.Timeout = 60 * time.Second // a busy machine takes its time
		atOnce(t, 1000, newClient(t, settings))
	})

	t.Run("a cancelled context ends a call at once", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request"})
		ctx, cancel := context.WithCancel(context.Background())
		options := options(t)
		client := newClient(t, config())
		ends := make(chan error)
		go func() {
			_, err := client.CreateSession(ctx, options)
			ends <- err
		}()
		await(t, "the server has the request", func() bool { return len(requests(t, options.Identifier)) > 0 })
		start := time.Now()
		cancel()
		err := <-ends
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, zelf.ErrCancelled) || !errors.Is(err, context.Canceled) || errors.Is(err, zelf.ErrTimeout) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a deadline of the context ends a call", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request"})
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := newClient(t, config()).CreateSession(ctx, options(t))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !os.IsTimeout(err) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("an ended context is the error, and nothing is sent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		client := newClient(t, config())
		options := options(t)
		_, created := client.CreateSession(ctx, options)
		_, sent := client.Send(ctx, nil, &zelf.Request{Method: "GET", Target: "/sandbox/echo?id=" + options.Identifier})
		for _, err := range []error{created, sent} {
			if !errors.Is(err, context.Canceled) || !errors.Is(err, zelf.ErrCancelled) {
				t.Errorf("the error is %v", err)
			}
		}
		if sent := requests(t, options.Identifier); len(sent) != 0 {
			t.Errorf("sent was %v", sent)
		}
	})
	t.Run("a call with an ended context does not keep a closed client", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for name, call := range map[string]func(*zelf.Client){
			"CreateSession": func(client *zelf.Client) { client.CreateSession(ctx, options(t)) },
			"Send":          func(client *zelf.Client) { client.Send(ctx, nil, &zelf.Request{Method: "GET", Target: "/"}) },
		} {
			var isFree atomic.Bool
			func() {
				held := new([64]byte)
				runtime.SetFinalizer(held, func(*[64]byte) { isFree.Store(true) })
				settings := config()
				settings.Log = func(zelf.LogLevel, string) { held[0]++ }
				client := newClient(t, settings)
				call(client)
				client.Close()
			}()
			await(t, "Log is free after "+name, func() bool {
				runtime.GC()
				return isFree.Load()
			})
		}
	})
	t.Run("a call in Log ends with its context", func(t *testing.T) {
		var once sync.Once
		var client *zelf.Client
		inner := make(chan error, 1)
		settings := config()
		settings.LogLevel = zelf.LogDebug
		settings.Log = func(zelf.LogLevel, string) {
			once.Do(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				defer cancel()
				_, err := client.CreateSession(ctx, options(t))
				inner <- err
			})
		}
		client = newClient(t, settings)
		create(t, client, options(t))
		if err := <-inner; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a session is free while a request with it is under way", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request", "path": "/sandbox/echo"})
		client := newClient(t, config())
		session := create(t, client, options(t))
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		id := identifier(t)
		go func() {
			defer close(ended)
			client.Send(ctx, session, &zelf.Request{Method: "GET", Target: "/sandbox/echo?id=" + id})
		}()
		await(t, "the server has the request", func() bool { return len(requests(t, id)) > 0 })
		select {
		case <-zelf.Freed(session):
		case <-time.After(limit):
			t.Error("it is not")
		}
		cancel()
		<-ended
	})
	t.Run("Close ends the calls under way at once", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request"})
		client := newClient(t, config())
		ends := make(chan error)
		const calls = 20
		for call := 0; call < calls; call++ {
			go func(options *zelf.SessionOptions) {
				_, err := client.CreateSession(context.Background(), options)
				ends <- err
			}(options(t))
		}
		last := options(t)
		go func() {
			_, err := client.CreateSession(context.Background(), last)
			ends <- err
		}()
		go func() {
			_, err := client.Send(context.Background(), nil, &zelf.Request{Method: "GET", Target: "/sandbox/echo?id=" + last.Identifier})
			ends <- err
		}()
		await(t, "the server has two requests", func() bool { return len(requests(t, last.Identifier)) == 2 })
		start := time.Now()
		client.Close()
		for call := 0; call < calls+2; call++ {
			if err := <-ends; !errors.Is(err, zelf.ErrCancelled) && !errors.Is(err, zelf.ErrShutDown) && !errors.Is(err, zelf.ErrClosed) {
				t.Errorf("the error is %v", err)
			}
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("a closed client gives ErrClosed", func(t *testing.T) {
		client := newClient(t, config())
		client.Close()
		client.Close()
		_, created := client.CreateSession(within(t), options(t))
		_, provided := client.NewSessionProvider(options(t), nil)
		_, sent := client.Send(within(t), nil, &zelf.Request{Method: "GET", Target: "/"})
		shut := client.Shutdown(within(t))
		for _, err := range []error{created, provided, sent, shut} {
			if !errors.Is(err, zelf.ErrClosed) || !strings.Contains(err.Error(), "client") {
				t.Errorf("the error is %v", err)
			}
		}
	})
	t.Run("a client may be closed while others use it", func(t *testing.T) {
		defer forget(t)
		for round := 0; round < 20; round++ {
			client := newClient(t, &zelf.Config{BaseURL: plain})
			options := options(t)
			var users sync.WaitGroup
			var ended atomic.Int32
			for user := 0; user < 8; user++ {
				users.Add(1)
				go func(isSender bool) {
					defer users.Done()
					for {
						var err error
						if isSender {
							_, err = client.Send(context.Background(), nil, &zelf.Request{Method: "GET", Target: "/sandbox/bytes/1"})
						} else {
							_, err = client.CreateSession(context.Background(), options)
						}
						if err == nil {
							ended.Add(1)
							continue
						}
						if !errors.Is(err, zelf.ErrClosed) && !errors.Is(err, zelf.ErrShutDown) && !errors.Is(err, zelf.ErrCancelled) {
							t.Errorf("the error is %v", err)
						}
						return
					}
				}(user%2 == 0)
			}
			await(t, "calls have ended", func() bool { return ended.Load() > 8 })
			client.Close()
			users.Wait()
		}
	})
	t.Run("after Shutdown a client takes no calls", func(t *testing.T) {
		client := newClient(t, config())
		create(t, client, options(t))
		if err := client.Shutdown(within(t)); err != nil {
			t.Fatal(err)
		}
		_, err := client.CreateSession(within(t), options(t))
		failure(t, err, zelf.ErrShutDown)
	})
	t.Run("Shutdown waits for a Log that is running, until its context ends", func(t *testing.T) {
		started, end := make(chan struct{}), make(chan struct{})
		var once sync.Once
		settings := config()
		settings.LogLevel = zelf.LogDebug
		settings.Log = func(zelf.LogLevel, string) {
			once.Do(func() { close(started) })
			<-end
		}
		client := newClient(t, settings)
		go client.CreateSession(context.Background(), options(t))
		<-started
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := client.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		close(end)
		if err := client.Shutdown(within(t)); err != nil {
			t.Errorf("then it is %v", err)
		}
	})
}

// atOnce creates sessions for as many goroutines.
func atOnce(t *testing.T, count int, client *zelf.Client) {
	defer forget(t)
	start, ends := make(chan struct{}), make(chan error)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for number := 0; number < count; number++ {
		go func(options *zelf.SessionOptions) {
			<-start
			session, err := client.CreateSession(ctx, options)
			if err == nil {
				if session.Identifier() != options.Identifier {
					err = errors.New("the session is another's: " + session.Identifier())
				}
				session.Close()
			}
			ends <- err
		}(options(t))
	}
	close(start)
	for number := 0; number < count; number++ {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

func TestError(t *testing.T) {
	client := newClient(t, config())
	once := func(base *zelf.Config) *zelf.Client {
		base.MaxAttempts = 1
		return newClient(t, base)
	}
	fails := func(t *testing.T, client *zelf.Client, status zelf.Status) *zelf.Error {
		t.Helper()
		session, err := client.CreateSession(within(t), options(t))
		if session != nil {
			t.Fatal("there is a session")
		}
		var failure *zelf.Error
		if !errors.Is(err, status) || !errors.As(err, &failure) {
			t.Fatalf("the error is %v, not %s", err, status.Name())
		}
		if errors.Is(err, status+1) || errors.Is(err, zelf.StatusOK) {
			t.Errorf("%v is another status as well", err)
		}
		if failure.Message == "" || !strings.Contains(err.Error(), failure.Message) {
			t.Errorf("the text is %q, the message %q", err, failure.Message)
		}
		return failure
	}

	t.Run("an invalid argument is ErrInvalidArgument", func(t *testing.T) {
		_, err := client.CreateSession(within(t), &zelf.SessionOptions{Identifier: "undefined"})
		if !errors.Is(err, zelf.ErrInvalidArgument) || !strings.Contains(err.Error(), "identifier") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a text with a NUL is ErrInvalidArgument", func(t *testing.T) {
		_, err := client.CreateSession(within(t), &zelf.SessionOptions{Identifier: "a\x00b"})
		if !errors.Is(err, zelf.ErrInvalidArgument) || !strings.Contains(err.Error(), "NUL") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("a rejected origin is ErrRejectedOrigin with the server's words", func(t *testing.T) {
		fault(t, object{"kind": "answer", "status": 403, "error": "rejected", "path": "/api/sessions"})
		failure := fails(t, client, zelf.ErrRejectedOrigin)
		if failure.HTTPStatus != 403 || failure.ServerMessage != "rejected" || failure.Retryable {
			t.Errorf("it is %+v", failure)
		}
	})
	t.Run("too many requests are ErrRateLimited with the delay", func(t *testing.T) {
		fault(t, object{"kind": "answer", "status": 429, "headers": object{"Retry-After": "7"}})
		failure := fails(t, once(config()), zelf.ErrRateLimited)
		if failure.HTTPStatus != 429 || failure.RetryAfter != 7*time.Second || !failure.Retryable {
			t.Errorf("it is %+v", failure)
		}
	})
	t.Run("a failed server is ErrServer", func(t *testing.T) {
		fault(t, object{"kind": "answer", "status": 500, "error": "out of order"})
		failure := fails(t, once(config()), zelf.ErrServer)
		if failure.HTTPStatus != 500 || failure.ServerMessage != "out of order" {
			t.Errorf("it is %+v", failure)
		}
	})
	t.Run("an untrusted certificate is ErrTLS", func(t *testing.T) {
		fails(t, once(&zelf.Config{BaseURL: secure, CAFile: os.Getenv("ZELF_OTHER_CA")}), zelf.ErrTLS)
	})
	t.Run("a time limit is ErrTimeout", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request"})
		failure := fails(t, newClient(t, &zelf.Config{BaseURL: secure, CAFile: ca, Timeout: 100 * time.Millisecond}), zelf.ErrTimeout)
		if !failure.Timeout() {
			t.Error("Timeout returns false")
		}
	})
	t.Run("a refused connection is ErrConnect", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		fails(t, once(&zelf.Config{BaseURL: "http://" + listener.Addr().String()}), zelf.ErrConnect)
	})
	t.Run("an unknown name is ErrDNS", func(t *testing.T) {
		fails(t, once(&zelf.Config{BaseURL: "https://missing.invalid", CAFile: ca}), zelf.ErrDNS)
	})
	t.Run("a broken connection is ErrConnectionLost", func(t *testing.T) {
		fault(t, object{"kind": "close", "stage": "body"})
		fails(t, once(config()), zelf.ErrConnectionLost)
	})
	t.Run("an answer without a session is ErrBadResponse", func(t *testing.T) {
		fault(t, object{"kind": "answer", "status": 200, "html": "<title>Sign in</title>"})
		fails(t, client, zelf.ErrBadResponse)
	})
	t.Run("a status of a newer library is an error like others", func(t *testing.T) {
		status := zelf.Status(9999)
		if status.Name() != "ZELF_ERROR_UNKNOWN" || status.Error() != "zelf: unknown status" {
			t.Errorf("it is %s, %v", status.Name(), status)
		}
		if err := error(&zelf.Error{Status: status}); !errors.Is(err, status) {
			t.Error("it is not its status")
		}
	})
}
