using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Zelf
{
    // Starts an asynchronous call of the library, with user_data.
    internal delegate CallHandle StartCall(IntPtr userData, ref IntPtr error);

    // An asynchronous call. user_data is a handle of it, which keeps it and its client alive
    // until the callback.
    internal sealed class PendingCall<T>
    {
        readonly TaskCompletionSource<T> result =
            new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly Func<IntPtr, T> wrap;
        readonly object owner;

        PendingCall(Func<IntPtr, T> wrap, object owner)
        {
            this.wrap = wrap;
            this.owner = owner;
        }

        // Starts a call before it returns. Then waits for its result. wrap makes an object of a
        // pointer.
        internal static async Task<T> Run(
            StartCall start, Func<IntPtr, T> wrap, object owner, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            PendingCall<T> pending = new PendingCall<T>(wrap, owner);
            using (CallHandle call = pending.Start(start))
            using (cancellation.Register(Cancel, call))
            {
                try
                {
                    return await pending.result.Task.ConfigureAwait(false);
                }
                catch (CancelledException error) when (cancellation.IsCancellationRequested)
                {
                    throw new OperationCanceledException(error.Message, error, cancellation);
                }
            }
        }

        // Starts a call and blocks until its result. Mono cannot end a thread that blocks in the
        // library, and waits for it at the end of the process.
        internal static T Wait(StartCall start, Func<IntPtr, T> wrap, object owner)
        {
            Callback.ThrowIfInside();
            PendingCall<T> pending = new PendingCall<T>(wrap, owner);
            using (pending.Start(start)) return pending.result.Task.GetAwaiter().GetResult();
        }

        // Takes the result, in a callback. It never throws.
        internal static void Finish(IntPtr value, IntPtr error, IntPtr userData)
        {
            GCHandle handle = GCHandle.FromIntPtr(userData);
            PendingCall<T> pending = (PendingCall<T>)handle.Target;
            handle.Free();
            // The end of the process cancels all calls, but ends no task: an exception in a thread
            // that waits would change the status of the process, and Mono may wait a minute for a
            // thread of the pool that begins to run a continuation now.
            if (Client.IsProcessEnding) return;
            try
            {
                if (error == IntPtr.Zero) pending.result.TrySetResult(pending.wrap(value));
                else pending.result.TrySetException(ZelfException.Take(error));
            }
            catch (Exception exception)
            {
                pending.result.TrySetException(exception);
            }
            GC.KeepAlive(pending.owner);
        }

        CallHandle Start(StartCall start)
        {
            GCHandle handle = GCHandle.Alloc(this);
            bool isStarted = false;
            try
            {
                IntPtr error = IntPtr.Zero;
                CallHandle call = start(GCHandle.ToIntPtr(handle), ref error);
                ZelfException.ThrowIf(error);
                isStarted = true;
                return call;
            }
            finally
            {
                // Without a call there is no callback.
                if (!isStarted) handle.Free();
            }
        }

        static void Cancel(object call)
        {
            Native.zelf_call_cancel((CallHandle)call);
        }
    }
}
