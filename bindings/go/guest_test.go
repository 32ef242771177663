package zelf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"zelf.world/go/zelf"
)

// children are programs that a test runs in a process of their own, by name.
var children = map[string]func(){
	"ends with calls under way": endsWithCalls,
	"panics in Log":             panicsInLog,
	"makes a client":            makesClient,
	"shows its threads":         showsThreads,
}

// A call before main: no goroutine gets its outcome there.
func init() {
	if os.Getenv("ZELF_CHILD") != "calls in init" {
		return
	}
	client, err := zelf.NewClient(config())
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err = client.CreateSession(ctx, options(childTB{}))
	fmt.Println(err)
	os.Exit(0)
}

// child runs one of the children. It returns its output, status and time.
func child(t *testing.T, name string, environment ...string) (output string, status int, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(append(os.Environ(), "ZELF_CHILD="+name), environment...)
	start := time.Now()
	written, err := command.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(written), command.ProcessState.ExitCode(), time.Since(start)
}

func endsWithCalls() {
	client, err := zelf.NewClient(config())
	if err != nil {
		panic(err)
	}
	t := childTB{}
	last := options(t)
	for number := 0; number < 20; number++ {
		go client.CreateSession(context.Background(), options(t))
	}
	go client.CreateSession(context.Background(), last)
	await(t, "the server has the calls", func() bool { return len(requests(t, last.Identifier)) > 0 })
	fmt.Print(time.Now().UnixMilli())
}

func panicsInLog() {
	settings := config()
	settings.LogLevel = zelf.LogDebug
	settings.Log = func(zelf.LogLevel, string) { panic("panic of the log") }
	client, err := zelf.NewClient(settings)
	if err != nil {
		panic(err)
	}
	client.CreateSession(context.Background(), options(childTB{}))
	time.Sleep(limit)
}

func makesClient() {
	_, err := zelf.NewClient(nil)
	_, other := zelf.RandomIdentifier()
	fmt.Printf("%v\n%v\n", err, other)
}

// showsThreads prints the signals that each thread of the library blocks after callbacks.
func showsThreads() {
	t := childTB{}
	client, err := zelf.NewClient(config())
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	options := options(t)
	go func() {
		defer close(ended)
		client.CreateSession(ctx, options)
	}()
	await(t, "the server has the call", func() bool { return len(requests(t, options.Identifier)) > 0 })
	// No callback has run. Later, Go starts threads inside of callbacks, and a thread
	// inherits its name.
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil {
		panic(err)
	}
	var threads []string
	for _, name := range names {
		if comm, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(comm), "zelf-") {
			threads = append(threads, filepath.Dir(name))
		}
	}
	noFaults(t)
	cancel()
	<-ended
	createMany(t, client, 200)
	for _, thread := range threads {
		blocked := func() uint64 {
			status, err := os.ReadFile(thread + "/status")
			if err != nil {
				panic(err)
			}
			_, rest, _ := strings.Cut(string(status), "SigBlk:")
			set, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
			if err != nil {
				panic(err)
			}
			return set
		}
		// During a callback a thread blocks nothing.
		await(t, "the callbacks of "+thread+" have ended", func() bool { return blocked() != 0 })
		fmt.Printf("%x ", blocked())
	}
}

// childTB is what helpers need of a test, in a child.
type childTB struct{ testing.TB }

func (childTB) Helper()                            {}
func (childTB) Fatal(words ...any)                 { panic(fmt.Sprint(words...)) }
func (childTB) Error(words ...any)                 { panic(fmt.Sprint(words...)) }
func (childTB) Cleanup(func())                     {}
func (childTB) Fatalf(format string, words ...any) { panic(fmt.Sprintf(format, words...)) }

func TestEnd(t *testing.T) {
	t.Run("a program ends with calls under way with status 0 and at once", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request", "path": "/api/sessions"})
		output, status, _ := child(t, "ends with calls under way")
		ended := time.Now()
		began, err := strconv.ParseInt(output, 10, 64)
		if status != 0 || err != nil {
			t.Fatalf("status %d: %s", status, output)
		}
		if took := ended.Sub(time.UnixMilli(began)); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("a call in init ends with its context", func(t *testing.T) {
		output, status, took := child(t, "calls in init")
		if status != 0 || !strings.Contains(output, "deadline exceeded") || took > limit {
			t.Errorf("status %d after %v: %s", status, took, output)
		}
	})
	t.Run("a panic in Log ends the program with its message", func(t *testing.T) {
		output, status, took := child(t, "panics in Log")
		if status != 2 || !strings.Contains(output, "panic: panic of the log") || took > limit {
			t.Errorf("status %d after %v: %s", status, took, output)
		}
	})
	t.Run("a Goexit in Log harms no call", func(t *testing.T) {
		settings := config()
		settings.LogLevel = zelf.LogDebug
		var logged atomic.Int32
		settings.Log = func(zelf.LogLevel, string) {
			logged.Add(1)
			runtime.Goexit()
		}
		client := newClient(t, settings)
		create(t, client, options(t))
		if err := client.Shutdown(within(t)); err != nil || logged.Load() == 0 {
			t.Errorf("%d messages, then %v", logged.Load(), err)
		}
	})
}

// createMany creates sessions, twenty at once. Five calls with equal options share a request.
func createMany(t testing.TB, client *zelf.Client, count int) {
	const atOnce = 20
	var users sync.WaitGroup
	var shared *zelf.SessionOptions
	for user := 0; user < atOnce; user++ {
		if user%5 == 0 {
			shared = options(t)
		}
		users.Add(1)
		go func(options *zelf.SessionOptions) {
			defer users.Done()
			for number := 0; number < count/atOnce; number++ {
				session, err := client.CreateSession(context.Background(), options)
				if err != nil {
					t.Error(err)
					return
				}
				session.Close()
			}
		}(shared)
	}
	users.Wait()
}

func TestSignals(t *testing.T) {
	t.Run("the library's threads block Go's signals", func(t *testing.T) {
		if _, err := os.Stat("/proc/self/task"); err != nil {
			t.Skip("this system does not tell its threads")
		}
		fault(t, object{"kind": "stall", "stage": "request", "path": "/api/sessions"})
		output, status, _ := child(t, "shows its threads")
		sets := strings.Fields(output)
		if status != 0 || len(sets) < 2 {
			t.Fatalf("status %d: %s", status, output)
		}
		for _, set := range sets {
			blocked, err := strconv.ParseUint(set, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			for _, signal := range []syscall.Signal{syscall.SIGURG, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD, syscall.SIGUSR1, syscall.SIGHUP} {
				if blocked&(1<<(signal-1)) == 0 {
					t.Errorf("a thread receives %v: %s", signal, output)
				}
			}
		}
	})
	t.Run("Go receives each signal while the library works", func(t *testing.T) {
		defer forget(t)
		client := newClient(t, &zelf.Config{BaseURL: plain})
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGUSR1)
		defer signal.Stop(signals)
		var isDone atomic.Bool
		var worker sync.WaitGroup
		worker.Add(1)
		go func() {
			defer worker.Done()
			for !isDone.Load() {
				createMany(t, client, 100)
			}
		}()
		for number := 0; number < 200; number++ {
			if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			select {
			case <-signals:
			case <-time.After(limit):
				t.Fatalf("it has not received signal %d", number)
			}
		}
		isDone.Store(true)
		worker.Wait()
	})
	t.Run("Go collects garbage, preempts and profiles while the library calls back", func(t *testing.T) {
		defer forget(t)
		var logged atomic.Int32
		settings := &zelf.Config{BaseURL: plain, LogLevel: zelf.LogDebug, Log: func(zelf.LogLevel, string) {
			logged.Add(1)
			// Only a signal interrupts this loop.
			for end := time.Now().Add(50 * time.Microsecond); time.Now().Before(end); {
			}
		}}
		client := newClient(t, settings)
		var profile bytes.Buffer
		if err := pprof.StartCPUProfile(&profile); err != nil {
			t.Fatal(err)
		}
		defer pprof.StopCPUProfile()
		var isDone atomic.Bool
		var workers sync.WaitGroup
		for worker := 0; worker < 2; worker++ {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for count := 0; !isDone.Load(); count++ {
					if count%(1<<20) == 0 {
						runtime.GC()
					}
				}
			}()
		}
		createMany(t, client, 1500)
		isDone.Store(true)
		workers.Wait()
		if logged.Load() < 300 {
			t.Errorf("%d messages were logged", logged.Load())
		}
	})
}
