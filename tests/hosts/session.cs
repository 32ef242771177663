// Uses libzelf from C# with Mono, whose garbage collector stops threads with signals. Argument: how
// it stops them, for the text of the promises.
using System;
using System.Runtime.InteropServices;
using System.Threading;

static class Program
{
    delegate void SessionCallback(IntPtr session, IntPtr error, IntPtr userData);
    delegate void LogCallback(int level, IntPtr message, IntPtr userData);

    const string Library = "zelf";
    const int Debug = 4;
    [DllImport(Library)] static extern IntPtr zelf_config_new();
    [DllImport(Library)] static extern void zelf_config_free(IntPtr config);
    [DllImport(Library)] static extern void zelf_config_set_base_url(IntPtr config, string url);
    [DllImport(Library)] static extern void zelf_config_set_ca_file(IntPtr config, string path);
    [DllImport(Library)] static extern void zelf_config_set_log_callback(
        IntPtr config, LogCallback callback, IntPtr userData, IntPtr destroy, int level);
    [DllImport(Library)] static extern IntPtr zelf_client_new(IntPtr config, IntPtr error);
    [DllImport(Library)] static extern int zelf_client_shutdown(IntPtr client, uint timeout);
    [DllImport(Library)] static extern void zelf_client_free(IntPtr client);
    [DllImport(Library)] static extern IntPtr zelf_session_create(IntPtr client, IntPtr options, IntPtr error);
    [DllImport(Library)] static extern IntPtr zelf_session_create_async(
        IntPtr client, IntPtr options, SessionCallback callback, IntPtr userData, IntPtr destroy, IntPtr error);
    [DllImport(Library)] static extern IntPtr zelf_session_token(IntPtr session);
    [DllImport(Library)] static extern void zelf_session_free(IntPtr session);
    [DllImport(Library)] static extern void zelf_call_free(IntPtr call);

    static bool isBroken;

    static void Promise(bool isKept, string words)
    {
        Console.WriteLine((isKept ? "ok - " : "not ok - ") + words);
        isBroken |= !isKept;
    }

    static bool IsToken(IntPtr session)
    {
        return session != IntPtr.Zero
            && Marshal.PtrToStringAnsi(zelf_session_token(session)).StartsWith("eyJ");
    }

    // Makes garbage until the other thread is done.
    static void CollectUntil(Func<bool> isDone)
    {
        for (int i = 0; i < 100000 && !isDone(); i++)
        {
            byte[] garbage = new byte[10000];
            garbage[0] = 1;
            GC.Collect();
        }
    }

    static int Main(string[] arguments)
    {
        int told = 0, called = 0, right = 0;
        LogCallback log = delegate { Interlocked.Increment(ref told); };
        SessionCallback callback = delegate(IntPtr session, IntPtr error, IntPtr userData)
        {
            if (IsToken(session)) Interlocked.Increment(ref right);
            zelf_session_free(session);
            // Stays in the callback long enough for a collection.
            for (int i = 0; i < 1000; i++) GC.KeepAlive(new byte[1000]);
            Thread.Sleep(10);
            Interlocked.Increment(ref called);
        };

        IntPtr config = zelf_config_new();
        zelf_config_set_base_url(config, Environment.GetEnvironmentVariable("ZELF_HTTPS"));
        zelf_config_set_ca_file(config, Environment.GetEnvironmentVariable("ZELF_CA"));
        zelf_config_set_log_callback(config, log, IntPtr.Zero, IntPtr.Zero, Debug);
        IntPtr client = zelf_client_new(config, IntPtr.Zero);
        zelf_config_free(config);

        IntPtr created = zelf_session_create(client, IntPtr.Zero, IntPtr.Zero);
        Promise(IsToken(created), "C# creates a session over TLS");
        zelf_session_free(created);

        const int Calls = 20;
        for (int i = 0; i < Calls; i++)
            zelf_call_free(zelf_session_create_async(
                client, IntPtr.Zero, callback, IntPtr.Zero, IntPtr.Zero, IntPtr.Zero));
        CollectUntil(delegate { return Thread.VolatileRead(ref called) == Calls; });
        Promise(right == Calls && told > 0, "collections that are " + arguments[0] + " end, during callbacks as well");
        // The client's threads have run C# code, and now wait.
        int collections = 0;
        CollectUntil(delegate { return ++collections > 20; });
        Promise(zelf_client_shutdown(client, 5000) == 0, "and while the client's threads rest");
        zelf_client_free(client);
        GC.KeepAlive(log);
        GC.KeepAlive(callback);
        return isBroken ? 1 : 0;
    }
}
