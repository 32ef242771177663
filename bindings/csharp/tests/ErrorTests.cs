using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Zelf;

static class ErrorTests
{
    // Creates a session, which fails with this exception.
    static TException Fails<TException>(Action<ClientSettings> change = null) where TException : ZelfException
    {
        ClientSettings settings = Sandbox.Settings();
        settings.MaxAttempts = 1;
        change?.Invoke(settings);
        using (Client client = new Client(settings))
        {
            TException error = Claim.Throws<TException>(delegate { client.Create(Sandbox.NewOptions()); });
            Claim.True(error.Message.Length > 0, "it has a message");
            return error;
        }
    }

    [Promise("a rejected origin is RejectedOriginException, with what the server said")]
    static void RejectedOrigin()
    {
        Sandbox.AddFault("{'kind':'answer','status':403,'error':'rejected','path':'/api/sessions'}");
        ZelfException error = Fails<RejectedOriginException>();
        Claim.Equal(Status.RejectedOrigin, error.Status);
        Claim.Equal("ZELF_ERROR_REJECTED_ORIGIN", error.StatusName);
        Claim.Equal(403, error.HttpStatus);
        Claim.Equal("rejected", error.ServerMessage);
        Claim.Equal(false, error.IsRetryable);
        Claim.Equal(null, error.RetryAfter);
    }

    [Promise("a time limit that passes is ZelfTimeoutException")]
    static void TimedOut()
    {
        Sandbox.Stall();
        ZelfException error = Fails<ZelfTimeoutException>(settings => settings.TimeoutMs = 200);
        Claim.Equal(null, error.HttpStatus);
        Claim.True(error.IsRetryable, "it may be repeated");
    }

    [Promise("a certificate that is not trusted is TlsException")]
    static void OtherCa()
    {
        ZelfException error = Fails<TlsException>(settings => settings.CaFile = Sandbox.Variable("ZELF_OTHER_CA"));
        Claim.Equal(Status.Tls, error.Status);
    }

    [Promise("a key that is not pinned is TlsException with its own status")]
    static void OtherPin()
    {
        ZelfException error = Fails<TlsException>(settings => settings.Pins.Add(new string('A', 43) + "="));
        Claim.Equal(Status.PinMismatch, error.Status);
    }

    [Promise("an argument that is unusable is InvalidArgumentException")]
    static void Argument()
    {
        using (Client client = Sandbox.NewClient())
        {
            Claim.Throws<InvalidArgumentException>(delegate { client.Create(new SessionOptions { Identifier = "" }); });
            Claim.Throws<InvalidArgumentException>(client.CreateAsync(new SessionOptions { Identifier = "" }));
            Claim.Throws<InvalidArgumentException>(delegate { new SessionProvider(client, new SessionOptions()); });
        }
    }

    [Promise("a text that C cannot hold is ArgumentException, and a null is ArgumentNullException")]
    static void Text()
    {
        using (Client client = Sandbox.NewClient())
        {
            Claim.Throws<ArgumentException>(delegate { client.Create(new SessionOptions { Identifier = "a\0b" }); });
            Claim.Throws<ArgumentException>(delegate { client.Create(new SessionOptions { Identifier = "\ud800" }); });
            Claim.Throws<ArgumentNullException>(delegate { client.Create(null); });
        }
    }

    [Promise("a setting that is unusable is InvalidConfigException")]
    static void Config()
    {
        Claim.Throws<InvalidConfigException>(delegate { new Client(new ClientSettings { BaseUrl = "http://example.com" }); });
        Claim.Throws<InvalidConfigException>(delegate { new Client(new ClientSettings { Proxy = "ftp://example.com" }); });
        Claim.Throws<ArgumentOutOfRangeException>(delegate { new Client(new ClientSettings { TimeoutMs = -1 }); });
    }

    [Promise("too many requests are RateLimitedException, with the delay")]
    static void RateLimited()
    {
        Sandbox.AddFault("{'kind':'answer','status':429,'error':'slow down','headers':{'Retry-After':'7'},'path':'/api/sessions'}");
        ZelfException error = Fails<RateLimitedException>();
        Claim.Equal(TimeSpan.FromSeconds(7), error.RetryAfter);
        Claim.Equal(429, error.HttpStatus);
        Claim.True(error.IsRetryable, "it may be repeated");
    }

    [Promise("a server that fails is ServerException")]
    static void Server()
    {
        Sandbox.AddFault("{'kind':'answer','status':500,'error':'no database','path':'/api/sessions'}");
        Claim.Equal("no database", Fails<ServerException>().ServerMessage);
    }

    [Promise("a port that refuses is ConnectionException")]
    static void Refused()
    {
        TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        ZelfException error = Fails<ConnectionException>(settings => settings.BaseUrl = "https://127.0.0.1:" + port);
        Claim.Equal(Status.Connect, error.Status);
    }

    [Promise("a connection that breaks is ConnectionException")]
    static void Lost()
    {
        Sandbox.AddFault("{'kind':'reset','stage':'request','path':'/api/sessions'}");
        Claim.Equal(Status.ConnectionLost, Fails<ConnectionException>().Status);
    }

    [Promise("each status of the header makes a ZelfException with its name")]
    static void Statuses()
    {
        foreach (Status status in Enum.GetValues(typeof(Status)).Cast<Status>().Where(status => status != Status.Ok))
        {
            ZelfException error = Make(status);
            Claim.Equal(status, error.Status);
            string name = "ZELFERROR" + status.ToString().ToUpperInvariant();
            Claim.Equal(name, error.StatusName.Replace("_", ""));
        }
    }

    [Promise("an unknown status is ZelfException")]
    static void Unknown()
    {
        ZelfException error = Make((Status)9999);
        Claim.Equal(typeof(ZelfException), error.GetType());
        Claim.Equal("ZELF_ERROR_UNKNOWN", error.StatusName);
        Claim.Equal("unknown status", error.Message);
    }

    // A newer library makes such errors. This one does not.
    static ZelfException Make(Status status)
    {
        return (ZelfException)typeof(ZelfException)
            .GetMethod("Of", System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)
            .Invoke(null, new object[] { status });
    }
}
