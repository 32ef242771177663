using System;

namespace Zelf
{
    // Marks this thread as one that runs Log or Renewed. It may be the thread that every answer
    // needs: a call that waits there would never end.
    internal sealed class Callback : IDisposable
    {
        [ThreadStatic] static int depth;

        internal Callback()
        {
            depth++;
        }

        public void Dispose()
        {
            depth--;
        }

        internal static void ThrowIfInside()
        {
            if (depth > 0)
                throw new InvalidArgumentException(
                    "this call may wait for the server, and Log and Renewed must not", Status.InvalidArgument);
        }
    }
}
