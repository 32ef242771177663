using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Zelf;

static class CallTests
{
    [Promise("an asynchronous call returns a session")]
    static async Task Returns()
    {
        SessionOptions options = Sandbox.NewOptions();
        using (Client client = Sandbox.NewClient())
        using (Session session = await client.CreateAsync(options))
            Claim.Equal(options.Identifier, session.Identifier);
    }

    [Promise("an asynchronous call throws its error")]
    static void Throws()
    {
        Sandbox.AddFault("{'kind':'answer','status':403,'error':'rejected','path':'/api/sessions'}");
        using (Client client = Sandbox.NewClient())
            Claim.Throws<RejectedOriginException>(client.CreateAsync(Sandbox.NewOptions()));
    }

    [Promise("twenty calls at once return twenty sessions")]
    static async Task Twenty()
    {
        SessionOptions[] options = Enumerable.Range(0, 20).Select(number => Sandbox.NewOptions()).ToArray();
        using (Client client = Sandbox.NewClient())
        {
            Session[] sessions = await Task.WhenAll(options.Select(one => client.CreateAsync(one)));
            for (int i = 0; i < 20; i++) Claim.Equal(options[i].Identifier, sessions[i].Identifier);
        }
    }

    [Promise("a CancellationToken ends a call at once while the server stalls")]
    static void Cancel()
    {
        Sandbox.Stall();
        using (Client client = Sandbox.NewClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<Session> call = client.CreateAsync(Sandbox.NewOptions(), source.Token);
            Claim.Becomes(() => Sandbox.Struck() > 0, "the request arrives");
            Claim.Faster(2, delegate
            {
                source.Cancel();
                OperationCanceledException error = Claim.Throws<OperationCanceledException>(call);
                Claim.Equal(source.Token, error.CancellationToken);
                Claim.True(call.IsCanceled, "the task is cancelled");
            });
        }
    }

    [Promise("a token that is cancelled already starts no call")]
    static void CancelledBefore()
    {
        Sandbox.ForgetRequests();
        using (Client client = Sandbox.NewClient())
            Claim.Throws<OperationCanceledException>(client.CreateAsync(Sandbox.NewOptions(), new CancellationToken(true)));
        Claim.Equal(0, Sandbox.CountRequests("/api/sessions"));
    }

    static void CancelUnlessDisposed(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call has ended before.
        }
    }

    [Promise("cancellations at any moment leave the client usable")]
    static async Task CancelAnyMoment()
    {
        using (Client client = Sandbox.NewClient())
        {
            SessionOptions options = Sandbox.NewOptions();
            Random random = new Random(1);
            int ends = 0;
            await Task.WhenAll(Enumerable.Range(0, 500).Select(async number =>
            {
                using (CancellationTokenSource source = new CancellationTokenSource())
                {
                    Task<Session> call = client.CreateAsync(options, source.Token);
                    if (number % 2 == 0) source.CancelAfter(random.Next(5));
                    else ThreadPool.QueueUserWorkItem(delegate { CancelUnlessDisposed(source); });
                    try
                    {
                        (await call).Dispose();
                    }
                    catch (OperationCanceledException)
                    {
                    }
                    Interlocked.Increment(ref ends);
                }
            }));
            Claim.Equal(500, ends);
            client.Create(options).Dispose();
        }
    }

    [Promise("a continuation does not run on a thread of the library")]
    static async Task Continuation()
    {
        using (Client client = Sandbox.NewClient())
        {
            (await client.CreateAsync(Sandbox.NewOptions())).Dispose();
            // On the client's thread this would wait for itself.
            client.CreateAsync(Sandbox.NewOptions()).Wait(Claim.LimitMs);
            Claim.True(Thread.CurrentThread.IsThreadPoolThread, "it is a thread of the pool");
        }
    }

    [Promise("Shutdown cancels calls, and refuses new ones")]
    static void Shutdown()
    {
        Sandbox.Stall();
        using (Client client = Sandbox.NewClient())
        {
            Task<Session> call = client.CreateAsync(Sandbox.NewOptions());
            Claim.True(client.Shutdown(), "it is complete");
            Claim.Throws<CancelledException>(call);
            Claim.Equal(Status.ShutDown, Claim.Throws<ZelfException>(client.CreateAsync(Sandbox.NewOptions())).Status);
        }
    }

    [Promise("Dispose cancels calls")]
    static void Dispose()
    {
        Sandbox.Stall();
        Client client = Sandbox.NewClient();
        Task<Session> call = client.CreateAsync(Sandbox.NewOptions());
        client.Dispose();
        Claim.Throws<CancelledException>(call);
    }

    [Promise("collections of garbage at any moment do no harm")]
    static async Task Collections()
    {
        bool isDone = false;
        Task collector = Task.Run(delegate
        {
            while (!Volatile.Read(ref isDone))
            {
                GC.KeepAlive(new byte[10000]);
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        ClientSettings settings = Sandbox.Settings();
        settings.LogLevel = LogLevel.Debug;
        settings.Log = (level, message) => GC.KeepAlive(message.ToUpperInvariant());
        using (Client client = new Client(settings))
        {
            SessionOptions options = Sandbox.NewOptions();
            for (int i = 0; i < 10; i++)
                foreach (Session session in await Task.WhenAll(Enumerable.Range(0, 20).Select(n => client.CreateAsync(options))))
                    Claim.Equal(options.Identifier, session.Identifier);
        }
        Volatile.Write(ref isDone, true);
        await collector;
    }
}
