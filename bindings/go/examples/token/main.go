// Token prints the Authorization header for an identifier, the first argument. The variables
// ZELF_HTTPS and ZELF_CA name another server than the public API, and its certificates.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"zelf.world/go/zelf"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: token IDENTIFIER")
	}
	config := zelf.Config{BaseURL: os.Getenv("ZELF_HTTPS"), CAFile: os.Getenv("ZELF_CA")}

	client, err := zelf.NewClient(&config)
	check(err)
	session, err := client.CreateSession(context.Background(), &zelf.SessionOptions{Identifier: os.Args[1]})
	check(err)
	fmt.Println(session.Authorization())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
