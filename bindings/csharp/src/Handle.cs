using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Zelf
{
    // An object of the library. The runtime counts the calls that it is in, and frees it after
    // the last one. After Dispose every call throws ObjectDisposedException.
    internal abstract class Handle : SafeHandle
    {
        // Set when no call uses an object that the library has lent. Else null.
        readonly ManualResetEventSlim isReturned;

        protected Handle(IntPtr pointer, bool isOwned) : base(IntPtr.Zero, true)
        {
            if (!isOwned) isReturned = new ManualResetEventSlim();
            SetHandle(pointer);
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected abstract void Free();

        protected sealed override bool ReleaseHandle()
        {
            if (isReturned == null) Free();
            else isReturned.Set();
            return true;
        }

        // Disposes of a lent object, and waits until no thread is inside one of its calls.
        internal void Return()
        {
            Dispose();
            isReturned.Wait();
        }

        // Reads what a getter borrows from the object, which lives until read returns.
        internal static TResult Read<THandle, TResult>(
            THandle handle, Func<THandle, IntPtr> getter, Func<IntPtr, TResult> read) where THandle : Handle
        {
            bool isHeld = false;
            try
            {
                handle.DangerousAddRef(ref isHeld);
                return read(getter(handle));
            }
            finally
            {
                if (isHeld) handle.DangerousRelease();
            }
        }

        internal static string ReadText<THandle>(THandle handle, Func<THandle, IntPtr> getter) where THandle : Handle
        {
            return Read(handle, getter, Library.Text);
        }
    }
}
