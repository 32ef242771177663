package zelf

// #include <stdint.h>
// #include <stdlib.h>
// #include <zelf.h>
//
// extern void zelfGoLog(zelf_log_level level, char *message, uintptr_t handle);
// extern void zelfGoDestroy(uintptr_t handle);
//
// static void zelf_go_log(zelf_log_level level, const char *message, void *handle)
// {
//     zelfGoLog(level, (char *)message, (uintptr_t)handle);
// }
//
// static void zelf_go_log_destroy(void *handle) { zelfGoDestroy((uintptr_t)handle); }
//
// static void zelf_go_set_log(zelf_config *config, uintptr_t handle, zelf_log_level level)
// {
//     zelf_config_set_log_callback(config, zelf_go_log, (void *)handle, zelf_go_log_destroy, level);
// }
import "C"

import (
	"fmt"
	"runtime/cgo"
	"strings"
	"time"
)

// LogLevel is the importance of a log message: one of the Log constants.
type LogLevel int32

// Config has the settings of a [Client]. A zero value is the default, so the zero Config
// works with the public API. [NewClient] checks all settings. String and GoString do not show
// the password of a proxy.
type Config struct {
	// BaseURL is the address of the API: "https://host", with an optional port and path.
	// "http://" is for this machine only. Default: "https://api.zelf.world".
	BaseURL string
	// Origin is the Origin header, which the server requires: the scheme and host of your
	// application. Default: the origin of BaseURL.
	Origin string
	// UserAgent is the User-Agent header. Default: "libzelf/" and the version.
	UserAgent string
	// Timeout limits the time of a whole call, retries included. Default: 15 s.
	Timeout time.Duration
	// ConnectTimeout limits the time to make one connection. Default: 5 s.
	ConnectTimeout time.Duration
	// MaxAttempts is how many attempts a call may make, counting the first. Default: 3.
	MaxAttempts int
	// CAFile is a file of PEM certificates to trust. Default: those that the system trusts.
	CAFile string
	// CAPEM has the certificates themselves, instead of a file.
	CAPEM []byte
	// Pins are SHA-256 hashes of public keys in base64. The server's certificate must have
	// one of the keys. Default: none.
	Pins []string
	// Proxy is the URL of a proxy: "http://", "https://", "socks5://" or "socks5h://".
	// Default: none.
	Proxy string
	// ProxyFromEnv takes the proxy from the environment, unless Proxy is set.
	ProxyFromEnv bool
	// Log receives log messages, each on a new goroutine, possibly several at once. A
	// message never contains a token. All calls of the client wait until Log returns.
	// So Log must not wait for one: [Client.CreateSession], [Client.Send],
	// [Client.Shutdown], [SessionProvider.Get], [SessionProvider.Send] and a request with
	// a [Transport] hang in it until their contexts end, also on another goroutine that
	// Log waits for. Default: none.
	Log func(level LogLevel, message string)
	// LogLevel is the most detailed level that Log receives. Default: LogWarning.
	LogLevel LogLevel
}

// String shows the settings without the user names and passwords of URLs, and without CAPEM.
func (config Config) String() string {
	type plain Config // without this method
	config.BaseURL, config.Proxy = withoutUser(config.BaseURL), withoutUser(config.Proxy)
	config.CAPEM = nil
	return fmt.Sprintf("zelf.Config%+v", plain(config))
}

// GoString shows the same as String.
func (config Config) GoString() string { return config.String() }

// withoutUser returns a URL, also an unusable one, without what may be a user name and password.
func withoutUser(url string) string {
	end := strings.LastIndexByte(url, '@')
	if end < 0 {
		return url
	}
	scheme, _, isURL := strings.Cut(url[:end], "://")
	if !isURL {
		return "(hidden)" + url[end:]
	}
	return scheme + "://(hidden)" + url[end:]
}

// toC makes the configuration of the library. The caller frees it.
func (config *Config) toC(a *arguments) *C.zelf_config {
	c := C.zelf_config_new()
	C.zelf_config_set_base_url(c, a.optional("the base URL", config.BaseURL))
	C.zelf_config_set_origin(c, a.optional("the origin", config.Origin))
	C.zelf_config_set_user_agent(c, a.optional("the user agent", config.UserAgent))
	C.zelf_config_set_timeout_ms(c, a.units("the time limit", config.Timeout, time.Millisecond))
	C.zelf_config_set_connect_timeout_ms(c, a.units("the time limit of a connection", config.ConnectTimeout, time.Millisecond))
	C.zelf_config_set_max_attempts(c, a.number("the number of attempts", int64(config.MaxAttempts)))
	C.zelf_config_set_ca_file(c, a.optional("the path of the CA file", config.CAFile))
	C.zelf_config_set_ca_pem(c, (*C.char)(a.bytes(config.CAPEM)), C.size_t(len(config.CAPEM)))
	for _, pin := range config.Pins {
		C.zelf_config_add_pin(c, a.text("a pin", pin))
	}
	C.zelf_config_set_proxy(c, a.optional("the URL of the proxy", config.Proxy))
	C.zelf_config_set_proxy_from_env(c, C.bool(config.ProxyFromEnv))
	if config.Log != nil {
		level := config.LogLevel
		if level == 0 {
			level = LogWarning
		}
		C.zelf_go_set_log(c, C.uintptr_t(cgo.NewHandle(config.Log)), C.zelf_log_level(level))
	}
	return c
}
