//go:build !race

// The memory of the race detector grows.

package zelf_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"zelf.world/go/zelf"
)

// usage returns the resident memory in bytes, the number of Go's objects and that of
// descriptors.
func usage(t *testing.T) (memory, objects, descriptors int) {
	t.Helper()
	// Twice: a finalizer runs after the first, and frees what the second one finds.
	for round := 0; round < 2; round++ {
		runtime.GC()
		debug.FreeOSMemory()
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("this system does not tell: ", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	return pages * os.Getpagesize(), int(heap.HeapObjects), len(open)
}

func TestMemory(t *testing.T) {
	const mega = 1 << 20
	t.Run("ten thousand creations leave memory and descriptors flat", func(t *testing.T) {
		defer forget(t)
		client := newClient(t, &zelf.Config{BaseURL: plain})
		createMany(t, client, 2000)
		memory, objects, descriptors := usage(t)
		createMany(t, client, 10000)
		memoryAfter, objectsAfter, descriptorsAfter := usage(t)
		more, moreObjects, moreDescriptors := memoryAfter-memory, objectsAfter-objects, descriptorsAfter-descriptors
		t.Logf("%d KiB, %d objects and %d descriptors more", more>>10, moreObjects, moreDescriptors)
		if more > 4*mega || moreObjects > 2000 || moreDescriptors > 2 {
			t.Error("they grow")
		}
	})
	t.Run("the garbage collector frees what nobody closed", func(t *testing.T) {
		client := newClient(t, &zelf.Config{BaseURL: plain})
		provider := newProvider(t, client, options(t), nil)
		request := &zelf.Request{Method: "GET", Target: "/sandbox/bytes/1000000"}
		forgetful := func(count int) {
			for number := 0; number < count; number++ {
				if _, err := provider.Send(within(t), request); err != nil {
					t.Fatal(err)
				}
				if number%10 == 9 {
					runtime.GC()
				}
			}
		}
		forgetful(30)
		memory, _, _ := usage(t)
		forgetful(100) // 100 MB
		memoryAfter, _, _ := usage(t)
		if memoryAfter > memory+20*mega {
			t.Errorf("%d MiB more", (memoryAfter-memory)>>20)
		}
		_, _, descriptors := usage(t)
		for number := 0; number < 10; number++ {
			client, err := zelf.NewClient(&zelf.Config{BaseURL: plain})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.CreateSession(within(t), nil); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "the clients' descriptors are closed", func() bool {
			_, _, open := usage(t)
			return open <= descriptors
		})
	})
}
