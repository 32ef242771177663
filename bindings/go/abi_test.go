package zelf_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"zelf.world/go/zelf"
)

// notNeeded are functions of the library that the package does without, and why.
var notNeeded = map[string]string{
	"zelf_session_create":        "the asynchronous twin can be cancelled",
	"zelf_session_provider_get":  "the asynchronous twin can be cancelled",
	"zelf_session_send":          "the asynchronous twin can be cancelled",
	"zelf_session_provider_send": "the asynchronous twin can be cancelled",
	"zelf_config_set_dispatch":   "goroutines wait for callbacks, Go has no event loop",
	"zelf_client_descriptor":     "as zelf_config_set_dispatch",
	"zelf_client_dispatch":       "as zelf_config_set_dispatch",
}

// header returns the header without the functions that exist on Android only.
func header(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(os.Getenv("ZELF_PREFIX") + "/include/zelf.h")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?ms)^#if defined\(__ANDROID__\)\n.*?^#endif\n`).ReplaceAllString(string(text), "")
}

// functions returns the names that the header declares.
func functions(t *testing.T) (names []string) {
	t.Helper()
	for _, match := range regexp.MustCompile(`(?m)^ZELF_API\b[^(;]*?\b(zelf_\w+)\(`).FindAllStringSubmatch(header(t), -1) {
		names = append(names, match[1])
	}
	if len(names) < 80 {
		t.Fatalf("the header has only %d functions", len(names))
	}
	return names
}

// source returns the text of the package without its tests.
func source(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			read, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(read)
		}
	}
	return text.String()
}

func TestABI(t *testing.T) {
	t.Run("the package calls each function of the header, or needs it not", func(t *testing.T) {
		text := source(t)
		for _, name := range functions(t) {
			isCalled := strings.Contains(text, "C."+name+"(") || strings.Contains(text, "return "+name+"(") || strings.Contains(text, "    "+name+"(")
			if reason, isNotNeeded := notNeeded[name]; isCalled == isNotNeeded {
				t.Errorf("%s: called: %v; not needed: %q", name, isCalled, reason)
			}
		}
	})
	t.Run("the package has each constant of the header", func(t *testing.T) {
		table, err := os.ReadFile("constants.go")
		if err != nil {
			t.Fatal(err)
		}
		text := string(table)
		if !strings.HasPrefix(text, "// Written by bindings/generate from include/zelf.h\n") {
			t.Error("the table does not say where it comes from")
		}
		names := regexp.MustCompile(`(?m)^#define (ZELF_(?:OK|ERROR_\w+|LOG_\w+|SESSION_TYPE_\w+|RENEWAL_\w+)) \d+$`).FindAllStringSubmatch(header(t), -1)
		if len(names) < 40 {
			t.Fatalf("the header has only %d constants", len(names))
		}
		for _, name := range names {
			if !strings.Contains(text, "C."+name[1]+"\n") {
				t.Errorf("%s is missing", name[1])
			}
		}
		if zelf.StatusOK != 0 || zelf.ErrOtherOptions != 53 || zelf.LogDebug != 4 || zelf.SessionTypeImportWallet != 3 || zelf.RenewalEarly != 2 {
			t.Error("a number is wrong")
		}
	})
	t.Run("the loaded library has each function of the header", func(t *testing.T) {
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip("this system does not tell what is loaded: ", err)
		}
		path := regexp.MustCompile(`/\S*/libzelf\.so\S*`).FindString(string(maps))
		library, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer library.Close()
		symbols, err := library.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		exported := map[string]bool{}
		for _, symbol := range symbols {
			exported[symbol.Name] = symbol.Section != elf.SHN_UNDEF
		}
		for _, name := range functions(t) {
			if !exported[name] {
				t.Errorf("%s has no %s", path, name)
			}
		}
	})
	t.Run("an older library is refused with a clear error", func(t *testing.T) {
		folder := t.TempDir()
		var stub strings.Builder
		stub.WriteString("const char *zelf_version(void) { return \"0.0.9\"; }\n")
		for _, name := range functions(t) {
			if name != "zelf_version" {
				stub.WriteString("void *" + name + "(void) { return 0; }\n")
			}
		}
		for name, text := range map[string]string{"stub.c": stub.String(), "stub.map": "ZELF_0 { global: zelf_*; };\n"} {
			if err := os.WriteFile(folder+"/"+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		compile := exec.Command("cc", "-shared", "-fPIC", "-Wl,-soname,libzelf.so.0", "-Wl,--version-script,"+folder+"/stub.map",
			"-o", folder+"/libzelf.so.0", folder+"/stub.c")
		if output, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		output, status, _ := child(t, "makes a client", "LD_LIBRARY_PATH="+folder)
		if status != 0 || strings.Count(output, "0.0.9") != 2 || strings.Count(output, "install a newer one") != 2 {
			t.Errorf("status %d: %s", status, output)
		}
	})
	t.Run("a library is refused by its first two numbers", func(t *testing.T) {
		for version, isRefused := range map[string]bool{
			"0.1.0": false, "0.1.9": false, "0.2.0": false, "1.0.0": false, "0.10.0": false,
			"0.0.9": true, "": true, "?": true,
		} {
			if err := zelf.CheckVersion(version); (err != nil) != isRefused {
				t.Errorf("%q: %v", version, err)
			}
		}
		if zelf.Version() != regexp.MustCompile(`#define ZELF_VERSION "(.*)"`).FindStringSubmatch(header(t))[1] {
			t.Errorf("the library has version %s", zelf.Version())
		}
	})
}
