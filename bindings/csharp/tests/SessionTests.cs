using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Threading;
using System.Threading.Tasks;
using Zelf;

static class SessionTests
{
    [Promise("ToString never throws while another thread disposes of the object")]
    static void TextWhileDisposed()
    {
        using (Client client = Sandbox.NewClient())
        using (SessionProvider provider = new SessionProvider(client, Sandbox.NewOptions()))
        {
            for (int round = 0; round < 1000; round++)
            {
                Session session = provider.Get();
                int texts = 0;
                Task reader = Task.Run(delegate
                {
                    while (session.ToString() != "Session (disposed)") Interlocked.Increment(ref texts);
                });
                Claim.Becomes(() => Volatile.Read(ref texts) > 0 || reader.IsCompleted, "a text is there");
                session.Dispose();
                Claim.True(reader.Wait(Claim.LimitMs), "it ends");
            }
        }
    }

    [Promise("a session has a token, and its value for the Authorization header")]
    static void Token()
    {
        using (Client client = Sandbox.NewClient())
        using (Session session = client.Create(Sandbox.NewOptions()))
        {
            Claim.True(session.GetToken().StartsWith("eyJ"), "a JWT");
            Claim.Equal("Bearer " + session.GetToken(), session.GetAuthorization());
        }
    }

    [Promise("a session has the times of the server")]
    static void Times()
    {
        using (Client client = Sandbox.NewClient())
        using (Session session = client.Create(Sandbox.NewOptions()))
        {
            Claim.True((DateTimeOffset.UtcNow - session.ActivatedAt.Value).Duration().TotalSeconds < 10, "it began now");
            Claim.Equal(TimeSpan.FromSeconds(600), session.ExpiresAt.Value - session.ActivatedAt.Value);
            Claim.True(session.SecondsLeft >= 590 && session.SecondsLeft <= 600, "it has 600 s left");
        }
    }

    [Promise("a session has the options that it was made with")]
    static void Options()
    {
        SessionOptions options = Sandbox.NewOptions();
        options.Type = SessionType.CreateWallet;
        options.WebExtension = true;
        options.Domain = "avax";
        options.TagName = options.Identifier + ".avax";
        options.EthAddress = "0xabc";
        Sandbox.ForgetRequests();
        using (Client client = Sandbox.NewClient())
        using (Session session = client.Create(options))
        {
            Claim.Equal(options.Identifier, session.Identifier);
            Claim.Equal("avax", session.Domain);
            Claim.Equal(options.TagName, session.TagName);
            Claim.Equal("0xabc", session.EthAddress);
            Claim.True(session.Id.Length > 0, "it has an id");
        }
        Claim.Contains("createWallet", Sandbox.Requests());
        Claim.Contains("\\\"isWebExtension\\\":true", Sandbox.Requests());
    }

    [Promise("KillSession replaces a session")]
    static void Kill()
    {
        SessionOptions options = Sandbox.NewOptions();
        using (Client client = Sandbox.NewClient())
        {
            string first = client.Create(options).Id;
            Claim.Equal(first, client.Create(options).Id);
            options.KillSession = true;
            Claim.True(first != client.Create(options).Id, "another session");
        }
    }

    [Promise("a token is in no text, property or serialisation of a session")]
    static void Secret()
    {
        using (Client client = Sandbox.NewClient())
        using (Session session = client.Create(Sandbox.NewOptions()))
        using (SessionProvider provider = new SessionProvider(client, Sandbox.NewOptions()))
        {
            string part = session.GetToken().Substring(0, 20);
            foreach (object subject in new object[] { session, client, provider })
            {
                Claim.Lacks(part, subject.ToString());
                foreach (PropertyInfo property in subject.GetType().GetProperties())
                    Claim.Lacks(part, Convert.ToString(property.GetValue(subject)));
            }
            Claim.Throws<InvalidDataContractException>(
                delegate { new DataContractJsonSerializer(typeof(Session)).WriteObject(Stream.Null, session); });
        }
    }

    [Promise("a response and a request show no body")]
    static void Bodies()
    {
        Request request = new Request("POST", "/sandbox/echo") { Body = new byte[] { 97, 98, 99, 120, 121, 122 } };
        using (Client client = Sandbox.NewClient())
        using (Response response = client.Send(request))
        {
            Claim.Equal("abcxyz", response.GetText());
            Claim.Lacks("abcxyz", request + " " + response);
        }
    }

    [Promise("a disposed session, client and provider throw ObjectDisposedException")]
    static void Disposed()
    {
        Client client = Sandbox.NewClient();
        SessionProvider provider = new SessionProvider(client, Sandbox.NewOptions());
        Session session = provider.Get();
        session.Dispose();
        session.Dispose();
        Claim.Throws<ObjectDisposedException>(delegate { session.GetToken(); });
        Claim.Throws<ObjectDisposedException>(delegate { Console.WriteLine(session.SecondsLeft); });
        Claim.Equal("Session (disposed)", session.ToString());
        provider.Dispose();
        provider.Dispose();
        Claim.Throws<ObjectDisposedException>(delegate { provider.Get(); });
        Claim.Throws<ObjectDisposedException>(provider.GetAsync());
        Claim.Throws<ObjectDisposedException>(delegate { provider.GetLastError(); });
        client.Dispose();
        client.Dispose();
        Claim.Throws<ObjectDisposedException>(delegate { client.Create(Sandbox.NewOptions()); });
        Claim.Throws<ObjectDisposedException>(client.CreateAsync(Sandbox.NewOptions()));
        Claim.Throws<ObjectDisposedException>(delegate { client.Shutdown(); });
    }

    [Promise("a client, a provider and a session may be disposed of while threads are inside their calls")]
    static void DisposedMeanwhile()
    {
        SessionOptions options = Sandbox.NewOptions();
        for (int round = 0; round < 20; round++)
        {
            Client client = Sandbox.NewClient();
            SessionProvider provider = new SessionProvider(client, options);
            Session session = provider.Get();
            CountdownEvent warm = new CountdownEvent(6);
            Task<Exception>[] users = Enumerable.Range(0, 6).Select(number => Task.Factory.StartNew(delegate
            {
                try
                {
                    for (int i = 0; ; i++)
                    {
                        if (number % 3 == 0) client.Create(options).Dispose();
                        else if (number % 3 == 1) provider.Get().Dispose();
                        else provider.GetAsync().GetAwaiter().GetResult().Dispose();
                        session.GetToken();
                        if (i == 1) warm.Signal();
                    }
                }
                catch (Exception error)
                {
                    return error;
                }
            }, TaskCreationOptions.LongRunning)).ToArray();
            Claim.True(warm.Wait(Claim.LimitMs), "all threads are in calls");
            IDisposable[] objects = { session, provider, client };
            for (int i = 0; i < 3; i++) objects[(i + round) % 3].Dispose();
            Claim.True(Task.WaitAll(users, Claim.LimitMs), "all threads end");
            foreach (Exception error in users.Select(user => user.Result))
                Claim.True(error is ObjectDisposedException || error is ZelfException, error.ToString());
        }
    }

    [Promise("identifiers are random, or derived from a device id")]
    static void Identifiers()
    {
        Claim.Equal(32, Identifier.Random().Length);
        Claim.True(Identifier.Random() != Identifier.Random(), "two are different");
        Claim.Equal(Identifier.Derive("serial 1"), Identifier.Derive("serial 1"));
        Claim.True(Identifier.Derive("serial 1") != Identifier.Derive("serial 2"), "two are different");
        Claim.Throws<InvalidArgumentException>(delegate { Identifier.Derive(""); });
    }

    [Promise("a certificate may be given as text, with a pin")]
    static void Pem()
    {
        ClientSettings settings = new ClientSettings { BaseUrl = Sandbox.Https, CaPem = File.ReadAllText(Sandbox.Ca) };
        settings.Pins.Add(Sandbox.Variable("ZELF_PIN"));
        using (Client client = new Client(settings)) client.Create(Sandbox.NewOptions()).Dispose();
    }

    [Promise("a request has the origin and the user agent of the settings")]
    static void Headers()
    {
        ClientSettings settings = Sandbox.Settings();
        settings.Origin = "https://app.example";
        settings.UserAgent = "tester/1";
        Sandbox.ForgetRequests();
        using (Client client = new Client(settings)) client.Create(Sandbox.NewOptions()).Dispose();
        Claim.Contains("https://app.example", Sandbox.Requests());
        Claim.Contains("tester/1", Sandbox.Requests());
    }

    [Promise("a client tells its base URL and its origin")]
    static void BaseUrl()
    {
        ClientSettings settings = Sandbox.Settings();
        settings.BaseUrl = Sandbox.Https.ToUpperInvariant() + "/";
        using (Client client = new Client(settings))
        {
            Claim.Equal(Sandbox.Https + "/", client.BaseUrl.AbsoluteUri);
            Claim.Equal(Sandbox.Https, client.Origin);
        }
        settings.Origin = "https://app.example";
        using (Client client = new Client(settings)) Claim.Equal(settings.Origin, client.Origin);
    }

    [Promise("a log receives messages of blocking and asynchronous calls, without a token")]
    static void Log()
    {
        List<string> lines = new List<string>();
        ClientSettings settings = Sandbox.Settings();
        settings.LogLevel = LogLevel.Debug;
        settings.Log = delegate(LogLevel level, string message)
        {
            lock (lines) lines.Add(level + " " + message);
        };
        using (Client client = new Client(settings))
        {
            string token = client.CreateAsync(Sandbox.NewOptions()).GetAwaiter().GetResult().GetToken();
            client.Create(Sandbox.NewOptions()).Dispose();
            client.Shutdown();
            Claim.True(lines.Count(line => line.StartsWith("Debug localhost:")) >= 2, "two messages");
            Claim.Lacks(token.Substring(0, 20), string.Join("\n", lines));
        }
    }

    [Promise("a log that throws does no harm")]
    static void LogThatThrows()
    {
        int calls = 0;
        ClientSettings settings = Sandbox.Settings();
        settings.LogLevel = LogLevel.Debug;
        settings.Log = delegate { Interlocked.Increment(ref calls); throw new InvalidOperationException(); };
        using (Client client = new Client(settings))
        {
            client.Create(Sandbox.NewOptions()).Dispose();
            client.CreateAsync(Sandbox.NewOptions()).GetAwaiter().GetResult().Dispose();
        }
        Claim.True(calls >= 2, "it was called");
    }

    [Promise("a client that is disposed of lets go of its log")]
    static void LogIsFreed()
    {
        WeakReference log = UseLog();
        Claim.Becomes(delegate
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !log.IsAlive;
        }, "the log is collected");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    static WeakReference UseLog()
    {
        WeakReference result = null;
        Thread thread = new Thread(delegate()
        {
            ClientSettings settings = Sandbox.Settings();
            object captured = new object();
            settings.Log = (level, message) => GC.KeepAlive(captured);
            result = new WeakReference(captured);
            using (Client client = new Client(settings)) client.Create(Sandbox.NewOptions()).Dispose();
        });
        thread.Start();
        thread.Join();
        return result;
    }
}
