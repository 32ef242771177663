using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

// A test: a method without arguments that throws if its promise is broken.
[AttributeUsage(AttributeTargets.Method)]
sealed class PromiseAttribute : Attribute
{
    public PromiseAttribute(string sentence)
    {
        Sentence = sentence;
    }

    public string Sentence { get; }
}

sealed class BrokenPromise : Exception
{
    public BrokenPromise(string message) : base(message) { }
}

// Runs the tests one after the other, and prints a line for each.
// Arguments: child NAME, which runs a program of ChildPrograms instead; or a part of the
// sentences of the tests to run.
static class Runner
{
    static int Main(string[] arguments)
    {
        if (arguments.Length > 1 && arguments[0] == "child") return ChildPrograms.Run(arguments[1]);
        string part = arguments.Length > 0 ? arguments[0] : "";
        string host = "C# with Mono, " + (Environment.GetEnvironmentVariable("MONO_THREADS_SUSPEND") ?? "default") + ": ";
        bool areKept = true;
        foreach (MethodInfo test in Tests())
        {
            string sentence = test.GetCustomAttribute<PromiseAttribute>().Sentence;
            if (!sentence.Contains(part)) continue;
            Stopwatch watch = Stopwatch.StartNew();
            Exception failure = Failure(test);
            Console.WriteLine((failure == null ? "ok - " : "not ok - ") + host + sentence);
            if (failure != null) Console.Error.WriteLine(failure);
            if (watch.Elapsed.TotalSeconds > 2) Console.Error.WriteLine(watch.Elapsed.TotalSeconds.ToString("F1") + " s");
            areKept &= failure == null;
        }
        return areKept ? 0 : 1;
    }

    static IEnumerable<MethodInfo> Tests()
    {
        return typeof(Runner).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Where(method => method.GetCustomAttribute<PromiseAttribute>() != null);
    }

    // A deadlock is a broken promise, not a hung test.
    static Exception Failure(MethodInfo test)
    {
        Task run = Task.Factory.StartNew(delegate
        {
            object result = test.Invoke(null, null);
            if (result is Task task) task.GetAwaiter().GetResult();
        }, TaskCreationOptions.LongRunning);
        try
        {
            if (!run.Wait(60000)) return new BrokenPromise("it does not end");
            return null;
        }
        catch (AggregateException error)
        {
            Exception inner = error.InnerException;
            return inner is TargetInvocationException ? inner.InnerException : inner;
        }
        finally
        {
            Sandbox.RemoveFaults();
        }
    }
}

// What tests claim.
static class Claim
{
    // A deadline, no promise about time.
    internal const int LimitMs = 10000;

    internal static void True(bool isTrue, string message)
    {
        if (!isTrue) throw new BrokenPromise(message);
    }

    internal static void Equal<T>(T expected, T found)
    {
        True(EqualityComparer<T>.Default.Equals(expected, found), "expected " + expected + ", not " + found);
    }

    internal static void Contains(string part, string text)
    {
        True(text != null && text.Contains(part), "expected " + part + " in " + text);
    }

    internal static void Lacks(string part, string text)
    {
        True(text == null || !text.Contains(part), "a text contains what it must not");
    }

    // Returns the exception, which is of this class and no subclass.
    internal static TException Throws<TException>(Action action) where TException : Exception
    {
        try
        {
            action();
        }
        catch (Exception error)
        {
            if (error.GetType() == typeof(TException)) return (TException)error;
            throw new BrokenPromise("expected " + typeof(TException) + ", not " + error);
        }
        throw new BrokenPromise("expected " + typeof(TException));
    }

    internal static TException Throws<TException>(Task task) where TException : Exception
    {
        return Throws<TException>(delegate
        {
            True(((IAsyncResult)task).AsyncWaitHandle.WaitOne(LimitMs), "the task does not end");
            task.GetAwaiter().GetResult();
        });
    }

    internal static void Faster(double seconds, Action action)
    {
        Stopwatch watch = Stopwatch.StartNew();
        action();
        True(watch.Elapsed.TotalSeconds < seconds, "it took " + watch.Elapsed.TotalSeconds + " s");
    }

    internal static void Becomes(Func<bool> isTrue, string message)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!isTrue())
        {
            True(watch.ElapsedMilliseconds < LimitMs, message);
            Thread.Sleep(5);
        }
    }
}
