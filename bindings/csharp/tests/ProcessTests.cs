using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Zelf;

static class ProcessTests
{
    static int MemoryKib()
    {
        return int.Parse(Regex.Match(File.ReadAllText("/proc/self/status"), @"VmRSS:\s+(\d+)").Groups[1].Value);
    }

    static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    // Runs the action this often, and asserts that memory and descriptors stay flat.
    static void StaysFlat(int rounds, Action action)
    {
        for (int i = 0; i < rounds / 5; i++) action();
        Collect();
        int memory = MemoryKib(), descriptors = Descriptors();
        for (int i = rounds / 5; i < rounds; i++) action();
        Collect();
        int growth = MemoryKib() - memory;
        Console.Error.WriteLine("grew by " + growth + " KiB, " + (Descriptors() - descriptors) + " descriptors");
        // A leak of the sessions alone would be 5 MiB.
        Claim.True(growth < 3 * 1024, "memory grew by " + growth + " KiB");
        Claim.True(Descriptors() <= descriptors + 2, "descriptors grew");
    }

    [Promise("10,000 sessions leave memory and descriptors flat")]
    static void Sessions()
    {
        SessionOptions options = Sandbox.NewOptions();
        using (Client client = Sandbox.NewClient()) StaysFlat(10000, delegate { client.Create(options).Dispose(); });
    }

    [Promise("10,000 asynchronous sessions, collected as garbage, leave memory and descriptors flat")]
    static void AsynchronousSessions()
    {
        SessionOptions[] options = Enumerable.Range(0, 20).Select(number => Sandbox.NewOptions()).ToArray();
        using (Client client = Sandbox.NewClient())
            StaysFlat(500, delegate
            {
                Task.WhenAll(options.Select(one => client.CreateAsync(one))).GetAwaiter().GetResult();
            });
    }

    [Promise("1,000 clients leave memory and descriptors flat")]
    static void Clients()
    {
        StaysFlat(1000, delegate
        {
            using (Client client = new Client(new ClientSettings { BaseUrl = Sandbox.Http }))
            using (CancellationTokenSource source = new CancellationTokenSource())
            {
                Task<Session> call = client.CreateAsync(Sandbox.NewOptions(), source.Token);
                source.Cancel();
                try
                {
                    call.GetAwaiter().GetResult();
                }
                catch (OperationCanceledException)
                {
                }
            }
        });
    }

    [Promise("a process ends at once, with status 0, while calls are under way")]
    static void EndsWithCalls()
    {
        Sandbox.Stall();
        EndsAtOnce("calls", 0);
    }

    [Promise("Environment.Exit ends a process at once while calls are under way")]
    static void ExitsWithCalls()
    {
        Sandbox.Stall();
        EndsAtOnce("exit", 3);
    }

    [Promise("a process ends at once while its log is called")]
    static void EndsWithLog()
    {
        // A callback at the wrong moment is rare.
        for (int i = 0; i < 12; i++) EndsAtOnce("log", 0);
    }

    static void EndsAtOnce(string name, int status)
    {
        Claim.Equal("", ChildPrograms.Start(name, status, out double seconds));
        Claim.True(seconds < 2, "it took " + seconds + " s");
    }
}

// Programs that run in a process of their own.
static class ChildPrograms
{
    // Runs one, and returns its output. seconds: from the moment that it says that it ends.
    internal static string Start(string name, int status, out double seconds)
    {
        ProcessStartInfo start = new ProcessStartInfo("mono", "\"" + typeof(Runner).Assembly.Location + "\" child " + name)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true
        };
        using (Process process = Process.Start(start))
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Claim.Equal("ends", process.StandardOutput.ReadLine());
            Stopwatch watch = Stopwatch.StartNew();
            string output = process.StandardOutput.ReadToEnd();
            Claim.True(process.WaitForExit(Claim.LimitMs), "it ends");
            seconds = watch.Elapsed.TotalSeconds;
            output += errors.GetAwaiter().GetResult();
            Claim.True(process.ExitCode == status, "status " + process.ExitCode + ": " + output);
            return output;
        }
    }

    internal static int Run(string name)
    {
        ClientSettings settings = Sandbox.Settings();
        if (name == "log")
        {
            settings.LogLevel = LogLevel.Debug;
            settings.Log = (level, message) => Thread.Yield();
        }
        Client client = new Client(settings);
        SessionProvider provider = new SessionProvider(client, Sandbox.NewOptions());
        SessionOptions[] options = Enumerable.Range(0, name == "log" ? 200 : 5).Select(n => Sandbox.NewOptions()).ToArray();
        foreach (SessionOptions one in options) client.CreateAsync(one);
        if (name != "log")
        {
            provider.GetAsync();
            SessionProvider other = new SessionProvider(client, Sandbox.NewOptions());
            foreach (Action block in new Action[]
            {
                delegate { client.Create(Sandbox.NewOptions()); },
                delegate { other.Get(); },
                delegate { client.Send(new Request("POST", "/api/sessions")); }
            })
                new Thread(delegate() { block(); }) { IsBackground = true }.Start();
            Claim.Becomes(() => Sandbox.Struck() >= 9, "the requests arrive");
        }
        Console.WriteLine("ends");
        if (name == "exit") Environment.Exit(3);
        return 0;
    }
}
