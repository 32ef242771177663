package zelf_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"zelf.world/go/zelf"
)

// A sandbox for the examples. Without it they use the public API.
var baseURL = os.Getenv("ZELF_HTTPS")

func ExampleClient_CreateSession() {
	client, err := zelf.NewClient(&zelf.Config{BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	session, err := client.CreateSession(ctx, &zelf.SessionOptions{Identifier: "5f0c6a3e8d2b4c71"})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	fmt.Println(session.Authorization()[:10], session.TimeLeft() > time.Minute)
	// Output: Bearer eyJ true
}

func ExampleSessionProvider_Get() {
	client, err := zelf.NewClient(&zelf.Config{BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	provider, err := client.NewSessionProvider(&zelf.SessionOptions{Identifier: "5f0c6a3e8d2b4c71"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()

	session, err := provider.Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	fmt.Println(session.Authorization()[:10])
	// Output: Bearer eyJ
}

func ExampleSessionProvider_Send() {
	client, err := zelf.NewClient(&zelf.Config{BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	provider, err := client.NewSessionProvider(&zelf.SessionOptions{Identifier: "5f0c6a3e8d2b4c71"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()

	response, err := provider.Send(context.Background(), &zelf.Request{
		Method: "GET",
		Target: "/api/tags/search?tagName=a.zelf",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer response.Close()
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal(response.Body(), &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.HTTPStatus(), len(answer.Data) > 0)
	// Output: 200 true
}

func ExampleTransport() {
	client, err := zelf.NewClient(&zelf.Config{BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	provider, err := client.NewSessionProvider(&zelf.SessionOptions{Identifier: "5f0c6a3e8d2b4c71"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Close()

	web := http.Client{Transport: &zelf.Transport{Provider: provider}}
	response, err := web.Get(client.BaseURL() + "/api/tags/search?tagName=a.zelf")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}

func ExampleError() {
	client, err := zelf.NewClient(&zelf.Config{BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = client.CreateSession(context.Background(), &zelf.SessionOptions{Identifier: "undefined"})
	var failure *zelf.Error
	switch {
	case errors.Is(err, zelf.ErrInvalidArgument):
		fmt.Println("invalid")
	case errors.Is(err, zelf.ErrTimeout):
		fmt.Println("late")
	case errors.As(err, &failure) && failure.Retryable:
		fmt.Println("again in", failure.RetryAfter)
	}
	// Output: invalid
}
