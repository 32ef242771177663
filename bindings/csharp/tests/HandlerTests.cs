using System;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Zelf;

static class HandlerTests
{
    // Counts requests, and remembers what their headers were.
    sealed class Recorder : DelegatingHandler
    {
        internal int Count;
        internal volatile int Answers;
        internal string Last = "";

        internal Recorder() : base(new HttpClientHandler { AllowAutoRedirect = false, UseProxy = false }) { }

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            Count++;
            Last = request.ToString();
            HttpResponseMessage answer = await base.SendAsync(request, cancellation);
            Answers++;
            return answer;
        }
    }

    // Calls the test with an HTTP client for the sandbox.
    static void With(Action<HttpClient, Recorder, SessionProvider, SessionOptions> test)
    {
        SessionOptions options = Sandbox.NewOptions();
        Recorder recorder = new Recorder();
        using (Client client = Sandbox.NewClient())
        using (SessionProvider provider = new SessionProvider(client, options))
        using (HttpClient http = new HttpClient(new ZelfHandler(provider, recorder)))
            test(http, recorder, provider, options);
    }

    static string Body(HttpResponseMessage answer) => answer.Content.ReadAsStringAsync().GetAwaiter().GetResult();

    static HttpResponseMessage Get(HttpClient http, string url) => http.GetAsync(url).GetAwaiter().GetResult();

    [Promise("ZelfHandler puts the token and the origin on a request")]
    static void Token() => With((http, recorder, provider, options) =>
    {
        using (HttpResponseMessage answer = Get(http, Sandbox.Https + "/api/tags/search?tagName=a.zelf"))
        {
            Claim.Equal(200, (int)answer.StatusCode);
            Claim.Contains("GET /api/tags/search?tagName=a.zelf", Body(answer));
            Claim.Contains(provider.Get().GetAuthorization(), recorder.Last);
            Claim.Contains("Origin: " + Sandbox.Https, recorder.Last);
            Claim.Lacks("Bearer", answer.RequestMessage.ToString());
        }
    });

    [Promise("ZelfHandler renews a session that is refused, and sends the request once more")]
    static void Renews() => With((http, recorder, provider, options) =>
    {
        string first = provider.Get().GetToken();
        Sandbox.UseUp(options);
        StringContent content = new StringContent("again");
        using (HttpResponseMessage answer = http.PostAsync(Sandbox.Https + "/sandbox/echo?check=session", content)
            .GetAwaiter().GetResult())
        {
            Claim.Equal(200, (int)answer.StatusCode);
            Claim.Equal("again", Body(answer));
        }
        Claim.Equal(2, recorder.Count);
        Claim.True(first != provider.Get().GetToken(), "it has another session");
    });

    [Promise("ZelfHandler sends a stream again")]
    static void Stream() => With((http, recorder, provider, options) =>
    {
        provider.Get();
        Sandbox.UseUp(options);
        StreamContent content = new StreamContent(new System.IO.MemoryStream(new byte[] { 97, 98 }));
        Claim.Equal("ab", Body(http.PostAsync(Sandbox.Https + "/sandbox/echo?check=session", content).GetAwaiter().GetResult()));
        Claim.Equal(2, recorder.Count);
    });

    [Promise("ZelfHandler returns another refusal as it is, and sends nothing again")]
    static void OtherRefusal() => With((http, recorder, provider, options) =>
    {
        string first = provider.Get().GetToken();
        Sandbox.AddFault("{'kind':'refusal','as':'search_limit','path':'/api/tags/search'}");
        HttpResponseMessage answer = Get(http, Sandbox.Https + "/api/tags/search?tagName=a");
        Claim.Equal(403, (int)answer.StatusCode);
        Claim.Contains("limit exceeded", Body(answer));
        Claim.Contains("application/json", answer.Content.Headers.ContentType.ToString());
        Claim.Equal(1, recorder.Count);
        Claim.Equal(first, provider.Get().GetToken());
    });

    [Promise("ZelfHandler returns a long refusal whole")]
    static void LongRefusal() => With((http, recorder, provider, options) =>
    {
        HttpResponseMessage answer = Get(http, Sandbox.Https + "/sandbox/bytes/200000?status=403");
        byte[] body = answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        Claim.Equal(200000, body.Length);
        Claim.True(Enumerable.Range(0, body.Length).All(i => body[i] == i % 251), "each byte is right");
        Claim.Equal(1, recorder.Count);
    });

    [Promise("ZelfHandler sends a refused request no third time")]
    static void NoThird() => With((http, recorder, provider, options) =>
    {
        Sandbox.AddFault("{'kind':'refusal','as':'not_active','path':'/sandbox/echo'}");
        HttpResponseMessage answer = Get(http, Sandbox.Https + "/sandbox/echo");
        Claim.Equal(403, (int)answer.StatusCode);
        Claim.Contains("not active", Body(answer));
        Claim.Equal(2, recorder.Count);
    });

    [Promise("ZelfHandler gives the token to the base URL only")]
    static void OtherServer() => With((http, recorder, provider, options) =>
    {
        Claim.Equal(401, (int)Get(http, Sandbox.Http + "/sandbox/echo?check=token").StatusCode);
        Claim.Equal(1, recorder.Count);
        Claim.Lacks("Bearer", recorder.Last);
    });

    [Promise("ZelfHandler follows no redirect by default")]
    static void Redirect() => With((other, recorder, provider, options) =>
    {
        Sandbox.AddFault("{'kind':'redirect','location':'" + Sandbox.Http + "/sandbox/echo','path':'/api/tags/search'}");
        Sandbox.ForgetRequests();
        using (HttpClient http = new HttpClient(new ZelfHandler(provider)))
            Claim.Equal(301, (int)Get(http, Sandbox.Https + "/api/tags/search?tagName=a").StatusCode);
        Claim.Equal(0, Sandbox.CountRequests("/sandbox/echo"));
    });

    [Promise("ZelfHandler ends at once when it is cancelled while it reads a refusal")]
    static void CancelRefusal() => With((http, recorder, provider, options) =>
    {
        provider.Get();
        Sandbox.AddFault("{'kind':'raw','path':'/sandbox/echo','keep':true,"
            + "'text':'HTTP/1.1 403 Forbidden\\r\\nContent-Length: 100\\r\\n\\r\\npart'}");
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<HttpResponseMessage> call = http.GetAsync(Sandbox.Https + "/sandbox/echo", source.Token);
            Claim.Becomes(() => recorder.Answers > 0, "the headers of the refusal arrive");
            Claim.Faster(2, delegate
            {
                source.Cancel();
                Claim.Throws<OperationCanceledException>(call);
            });
        }
    });

    [Promise("ZelfHandler ends at once when it is cancelled")]
    static void Cancel() => With((http, recorder, provider, options) =>
    {
        Sandbox.Stall();
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<HttpResponseMessage> call = http.GetAsync(Sandbox.Https + "/sandbox/echo", source.Token);
            Claim.Becomes(() => Sandbox.Struck() > 0, "the request for a session arrives");
            Claim.Faster(2, delegate
            {
                source.Cancel();
                Claim.Throws<OperationCanceledException>(call);
            });
        }
    });
}
