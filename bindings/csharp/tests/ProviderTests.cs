using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Threading;
using System.Threading.Tasks;
using Zelf;

static class ProviderTests
{
    const string V2 = "/api/zelf-name-service/v2/search?zelfName=a.zelf";
    const string Search = "/api/tags/search?tagName=a.zelf";

    // Calls the test with a client, a provider and the options of its session.
    static void With(Action<Client, SessionProvider, SessionOptions> test, ProviderOptions provider = null)
    {
        SessionOptions options = Sandbox.NewOptions();
        using (Client client = Sandbox.NewClient())
        using (SessionProvider made = new SessionProvider(client, options, provider ?? new ProviderOptions()))
            test(client, made, options);
    }

    [Promise("a provider returns the same session while it is valid")]
    static void Same() => With((client, provider, options) =>
    {
        Claim.Equal(provider.Get().GetToken(), provider.Get().GetToken());
        Claim.Equal(provider.Get().GetToken(), provider.GetAsync().GetAwaiter().GetResult().GetToken());
    });

    [Promise("GetAsync with a valid session is a completed task, and no call")]
    static void Current() => With((client, provider, options) =>
    {
        string token = provider.Get().GetToken();
        // The client now refuses calls.
        client.Shutdown();
        Task<Session> task = provider.GetAsync();
        Claim.True(task.IsCompleted, "it is completed");
        Claim.Equal(token, task.Result.GetToken());
        Claim.True(provider.GetAsync(new CancellationToken(true)).IsCanceled, "a cancelled token comes first");
    });

    [Promise("a provider replaces a session when it has less than MinValidS left")]
    static void Expiry() => With((client, provider, options) =>
    {
        string old = client.Create(options).Id;
        Sandbox.Age(options, 593);
        Claim.Equal(old, provider.Get().Id);
        Session second = null;
        Claim.Becomes(() => (second = provider.Get()).Id != old, "it is replaced");
        Claim.True(second.SecondsLeft > 590, "the new one is fresh");
    }, new ProviderOptions { MinValidS = 5 });

    [Promise("sessions that are shorter than MinValidS are UnusableSessionException")]
    static void TooShort() => With((client, provider, options) =>
        Claim.Equal(Status.SessionExpired, Claim.Throws<UnusableSessionException>(delegate { provider.Get(); }).Status),
        new ProviderOptions { MinValidS = 86400 });

    [Promise("a provider renews a session that was invalidated")]
    static void Invalidated() => With((client, provider, options) =>
    {
        Session first = provider.Get();
        Sandbox.UseUp(options);
        Claim.True(provider.Invalidate(first), "it held the session");
        Claim.True(!provider.Invalidate(first), "it holds it no more");
        Claim.True(first.GetToken() != provider.Get().GetToken(), "it has another");
    });

    [Promise("only an answer that refuses the session invalidates it")]
    static void Refused() => With((client, provider, options) =>
    {
        Session first = provider.Get();
        Func<int, string, bool> isRefused = (status, body) =>
            provider.InvalidateIfRefused(first, status, body == null ? null : System.Text.Encoding.UTF8.GetBytes(body));
        Claim.True(!isRefused(403, "{\"validationError\":\"Search limit exceeded\"}"), "a quota");
        Claim.True(!isRefused(200, ""), "a success");
        Claim.True(!isRefused(403, null), "an empty answer");
        Claim.Equal(first.GetToken(), provider.Get().GetToken());
        Sandbox.UseUp(options);
        Claim.True(isRefused(403, "{\"validationError\":\"Session is not active\"}"), "a refusal");
        Claim.True(first.GetToken() != provider.Get().GetToken(), "it has another");
    });

    [Promise("GetLastError says why a renewal failed")]
    static void LastError() => With((client, provider, options) =>
    {
        Claim.Equal(null, provider.GetLastError());
        Sandbox.AddFault("{'kind':'answer','status':403,'error':'rejected','path':'/api/sessions'}");
        Claim.Throws<RejectedOriginException>(delegate { provider.Get(); });
        Claim.Equal(typeof(RejectedOriginException), provider.GetLastError().GetType());
    });

    [Promise("Renewed receives each new session, which ends with the call")]
    static void Renewed()
    {
        List<string> tokens = new List<string>();
        Session inside = null;
        ProviderOptions renewing = new ProviderOptions
        {
            Renewed = session =>
            {
                tokens.Add(session.GetToken());
                inside = session;
            }
        };
        With((client, provider, options) =>
        {
            Session first = provider.Get();
            Sandbox.UseUp(options);
            provider.Invalidate(first);
            Session second = provider.Get();
            Claim.Equal(first.GetToken() + " " + second.GetToken(), string.Join(" ", tokens));
            Claim.Throws<ObjectDisposedException>(delegate { inside.GetToken(); });
        }, renewing);
    }

    [Promise("Renewed waits for the threads that use its session")]
    static void Lent()
    {
        SafeHandle lent = null;
        bool isHeld = false;
        ProviderOptions lending = new ProviderOptions
        {
            Renewed = session =>
            {
                // As a getter does in another thread.
                lent = (SafeHandle)typeof(Session).GetProperty("Handle", BindingFlags.Instance | BindingFlags.NonPublic)
                    .GetValue(session);
                lent.DangerousAddRef(ref isHeld);
            }
        };
        With((client, provider, options) =>
        {
            Task<Session> get = provider.GetAsync();
            Claim.Becomes(() => isHeld, "a session comes");
            Claim.True(!get.Wait(300), "it waits");
            lent.DangerousRelease();
            Claim.True(get.Wait(Claim.LimitMs), "it goes on");
        }, lending);
    }

    [Promise("a call that blocks in Log or Renewed is InvalidArgumentException")]
    static void BlockingCallback()
    {
        SessionOptions options = Sandbox.NewOptions();
        Client client = null;
        ConcurrentQueue<Exception> failures = new ConcurrentQueue<Exception>();
        Action create = delegate
        {
            try
            {
                client.Create(options).Dispose();
            }
            catch (Exception error)
            {
                failures.Enqueue(error);
            }
        };
        bool isLogging = false;
        ClientSettings settings = Sandbox.Settings();
        settings.LogLevel = LogLevel.Debug;
        settings.Log = (level, message) =>
        {
            if (!isLogging) return;
            isLogging = false;
            create();
        };
        using (client = new Client(settings))
        using (SessionProvider provider = new SessionProvider(client, options, new ProviderOptions { Renewed = session => create() }))
        {
            provider.Get().Dispose();
            isLogging = true;
            client.Create(options).Dispose();
            Claim.Equal(2, failures.Count);
            Claim.True(failures.All(failure => failure is InvalidArgumentException), string.Join(" ", failures));
        }
    }

    [Promise("a provider with Background has a session without a Get")]
    static void Background()
    {
        using (ManualResetEventSlim isThere = new ManualResetEventSlim())
            With((client, provider, options) => Claim.True(isThere.Wait(Claim.LimitMs), "it came"),
                new ProviderOptions { Background = true, Renewed = session => isThere.Set() });
    }

    [Promise("a provider of a disposed client serves until its session ends")]
    static void WithoutClient() => With((client, provider, options) =>
    {
        Session first = provider.Get();
        client.Dispose();
        Claim.Equal(first.GetToken(), provider.Get().GetToken());
        provider.Invalidate(first);
        Claim.Equal(Status.ShutDown, Claim.Throws<ZelfException>(delegate { provider.Get(); }).Status);
    });

    [Promise("a stored session serves the next provider")]
    static void Stored()
    {
        string directory = Path.Combine(Directory.GetCurrentDirectory(), "stored");
        Directory.CreateDirectory(directory);
        ProviderOptions storing = new ProviderOptions { Directory = directory };
        With((client, provider, options) =>
        {
            string token = provider.Get().GetToken();
            Sandbox.ForgetRequests();
            using (Client other = Sandbox.NewClient())
            using (SessionProvider next = new SessionProvider(other, options, storing))
                Claim.Equal(token, next.Get().GetToken());
            Claim.Equal(0, Sandbox.CountRequests("/api/sessions"));
        }, storing);
        Directory.Delete(directory, true);
    }

    [DataContract]
    sealed class Answer
    {
        [DataMember(Name = "data")] internal AnswerData Data;
    }

    [DataContract]
    sealed class AnswerData
    {
        [DataMember(Name = "request")] internal string Request;
    }

    [Promise("a request returns JSON with the session")]
    static void Json() => With((client, provider, options) =>
    {
        using (Response response = provider.Send(new Request("GET", Search)))
        {
            Claim.Equal(200, response.HttpStatus);
            Claim.True(response.IsSuccess, "a success");
            Answer answer = (Answer)new DataContractJsonSerializer(typeof(Answer))
                .ReadObject(new MemoryStream(response.GetBody()));
            Claim.Equal("GET " + Search, answer.Data.Request);
            Claim.Contains("json", response.GetHeader("content-TYPE"));
            Claim.Equal(null, response.GetHeader("X-None"));
        }
    });

    [Promise("a request sends its body, type and headers")]
    static void Body() => With((client, provider, options) =>
    {
        Request request = new Request("POST", "/sandbox/echo") { Body = new byte[] { 0, 255, 1 }, ContentType = "a/b" };
        request.Headers["X-One"] = "number 1";
        Sandbox.ForgetRequests();
        using (Response response = provider.SendAsync(request).GetAwaiter().GetResult())
        {
            Claim.True(request.Body.SequenceEqual(response.GetBody()), "the body");
            Claim.Equal("a/b", response.GetHeader("Content-Type"));
        }
        Claim.Contains("number 1", Sandbox.Requests());
        request.Body = new byte[0];
        Claim.Equal("", provider.Send(request).GetText());
    });

    [Promise("a request whose session was refused is sent again with a new one")]
    static void Again() => With((client, provider, options) =>
    {
        Session first = provider.Get();
        Sandbox.UseUp(options);
        using (Response response = provider.Send(new Request("GET", V2))) Claim.Equal(200, response.HttpStatus);
        Claim.True(first.GetToken() != provider.Get().GetToken(), "it has another");
    });

    [Promise("an answer of any status is a response")]
    static void AnyStatus() => With((client, provider, options) =>
    {
        using (Response response = provider.Send(new Request("GET", "/sandbox/echo?status=418")))
        {
            Claim.Equal(418, response.HttpStatus);
            Claim.True(!response.IsSuccess, "no success");
        }
    });

    [Promise("a request has its own limits")]
    static void Limits() => With((client, provider, options) =>
    {
        Request large = new Request("GET", "/sandbox/bytes/5000") { MaxResponseBytes = 1000 };
        Claim.Equal(Status.ResponseTooLarge, Claim.Throws<ZelfException>(delegate { provider.Send(large); }).Status);
        Sandbox.AddFault("{'kind':'stall','stage':'headers','path':'/sandbox/echo'}");
        Request slow = new Request("GET", "/sandbox/echo") { TimeoutMs = 200 };
        Claim.Throws<ZelfTimeoutException>(delegate { provider.Send(slow); });
    });

    [Promise("a POST is repeated only if it is repeatable")]
    static void Repeatable() => With((client, provider, options) =>
    {
        string fault = "{'kind':'refusal','as':'unavailable','path':'/sandbox/echo','times':1}";
        Request request = new Request("POST", "/sandbox/echo") { Body = new byte[] { 49 } };
        Sandbox.AddFault(fault);
        Claim.Equal(503, provider.Send(request).HttpStatus);
        Sandbox.RemoveFaults();
        Sandbox.AddFault(fault);
        request.Repeatable = true;
        Claim.Equal(200, provider.Send(request).HttpStatus);
    });

    [Promise("asynchronous requests return their responses, and can be cancelled")]
    static void Asynchronous() => With((client, provider, options) =>
    {
        Request request = new Request("GET", Search);
        Response[] responses = Task.WhenAll(Enumerable.Range(0, 20).Select(n => provider.SendAsync(request)))
            .GetAwaiter().GetResult();
        Claim.True(responses.All(response => response.HttpStatus == 200), "all succeed");
        Sandbox.AddFault("{'kind':'stall','stage':'headers','path':'/api/tags/search'}");
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<Response> call = provider.SendAsync(request, source.Token);
            Claim.Becomes(() => Sandbox.Struck() > 0, "the request arrives");
            Claim.Faster(2, delegate
            {
                source.Cancel();
                Claim.Throws<OperationCanceledException>(call);
            });
        }
    });

    [Promise("a client sends a request with a session, and without one")]
    static void OwnSession() => With((client, provider, options) =>
    {
        Request request = new Request("GET", "/sandbox/echo?check=token");
        Claim.Equal(200, client.Send(request, client.Create(options)).HttpStatus);
        using (Response response = client.Send(request))
        {
            Claim.Equal(401, response.HttpStatus);
            Claim.Contains("Protected resource", response.ServerMessage);
        }
    });

    [Promise("SendAsync of a client sends the token of a session, and renews nothing")]
    static void OwnSessionAsync() => With((client, provider, options) =>
    {
        Sandbox.ForgetRequests();
        Session session = client.Create(options);
        Request request = new Request("GET", "/sandbox/echo?check=session");
        Claim.Equal(200, client.SendAsync(request, session).GetAwaiter().GetResult().HttpStatus);
        Sandbox.UseUp(options);
        Response response = client.SendAsync(request, session).GetAwaiter().GetResult();
        Claim.Equal(403, response.HttpStatus);
        Claim.Contains("not active", response.ServerMessage);
        Claim.Equal(401, client.SendAsync(request).GetAwaiter().GetResult().HttpStatus);
        Claim.Equal(1, Sandbox.CountRequests("/api/sessions"));
    });

    [Promise("SendAsync of a client is cancelled at once")]
    static void OwnSessionCancelled() => With((client, provider, options) =>
    {
        Session session = client.Create(options);
        Sandbox.AddFault("{'kind':'stall','stage':'headers','path':'/sandbox/echo'}");
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<Response> call = client.SendAsync(new Request("GET", "/sandbox/echo"), session, source.Token);
            Claim.Becomes(() => Sandbox.Struck() > 0, "the request arrives");
            Claim.Faster(2, delegate
            {
                source.Cancel();
                Claim.Throws<OperationCanceledException>(call);
            });
        }
    });
}
