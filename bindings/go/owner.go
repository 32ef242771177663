package zelf

import (
	"errors"
	"sync"
	"unsafe"
)

// ErrClosed is the error of a method of a closed [Client], [Session], [SessionProvider] or
// [Response]. Compare with [errors.Is].
var ErrClosed = errors.New("zelf: closed")

// closedError says what is closed.
type closedError string

func (e closedError) Error() string   { return "zelf: the " + string(e) + " is closed" }
func (closedError) Is(err error) bool { return err == ErrClosed }

// owner owns an object of the library and counts who uses it. The last one frees a closed
// object, so a Close is safe while other goroutines are inside the library.
type owner struct {
	what   string
	free   func(unsafe.Pointer)
	mutex  sync.Mutex
	object unsafe.Pointer // nil when closed
	uses   int
	unused chan struct{} // closed when the last use of a closed object ends
}

// use returns the object. done must follow, unless there is an error.
func (o *owner) use() (object unsafe.Pointer, done func(), err error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.object == nil {
		return nil, nil, closedError(o.what)
	}
	o.uses++
	object = o.object
	return object, func() { o.end(object) }, nil
}

func (o *owner) end(object unsafe.Pointer) {
	o.mutex.Lock()
	o.uses--
	isLast := o.object == nil && o.uses == 0
	o.mutex.Unlock()
	if isLast {
		o.free(object)
		close(o.unused)
	}
}

// close makes later uses fail. It returns whether uses are under way, and a channel that is
// closed when the object is free.
func (o *owner) close() (isUsed bool, freed <-chan struct{}) {
	o.mutex.Lock()
	object := o.object
	if object == nil {
		defer o.mutex.Unlock()
		return o.uses > 0, o.unused
	}
	o.object = nil
	o.unused = make(chan struct{})
	isUsed = o.uses > 0
	o.mutex.Unlock()
	if !isUsed {
		o.free(object)
		close(o.unused)
	}
	return isUsed, o.unused
}
