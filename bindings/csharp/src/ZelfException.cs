using System;

namespace Zelf
{
    /// <summary>Says why a call failed. It never contains a token.</summary>
    public class ZelfException : Exception
    {
        internal ZelfException(string message, Status status) : base(message)
        {
            Status = status;
        }

        /// <summary>The kind of the failure. A newer library may have numbers without a name here.</summary>
        public Status Status { get; }

        /// <summary>Its name in the library, such as "ZELF_ERROR_TIMEOUT".</summary>
        public string StatusName => Library.Text(Native.zelf_status_name((int)Status));

        /// <summary>The HTTP status of the answer, or null if no answer came.</summary>
        public int? HttpStatus { get; private set; }

        /// <summary>The words of the server or proxy, or null. Anyone on the way may have written them.</summary>
        public string ServerMessage { get; private set; }

        /// <summary>Whether the same call may succeed later, unchanged.</summary>
        public bool IsRetryable { get; private set; }

        /// <summary>How long to wait before the next attempt, or null if nobody asks to wait.</summary>
        public TimeSpan? RetryAfter { get; private set; }

        // Throws the exception of a zelf_error, and frees that, unless it is NULL.
        internal static void ThrowIf(IntPtr error)
        {
            if (error != IntPtr.Zero) throw Take(error);
        }

        // Makes the exception of a zelf_error, and frees that.
        internal static ZelfException Take(IntPtr error)
        {
            try
            {
                int httpStatus = Native.zelf_error_http_status(error);
                ulong wait = Native.zelf_error_retry_after_ms(error);
                ZelfException exception = Make(
                    Library.Text(Native.zelf_error_message(error)), (Status)Native.zelf_error_status(error));
                exception.HttpStatus = httpStatus == 0 ? (int?)null : httpStatus;
                exception.ServerMessage = Library.Text(Native.zelf_error_server_message(error));
                exception.IsRetryable = Native.zelf_error_is_retryable(error);
                exception.RetryAfter = wait == 0 ? (TimeSpan?)null : Duration(wait);
                return exception;
            }
            finally
            {
                Native.zelf_error_free(error);
            }
        }

        // Makes the exception of a function that returns only a status.
        internal static ZelfException Of(Status status)
        {
            return Make(Library.Text(Native.zelf_status_message((int)status)), status);
        }

        static TimeSpan Duration(ulong milliseconds)
        {
            ulong longest = (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond);
            return milliseconds > longest
                ? TimeSpan.MaxValue
                : new TimeSpan((long)milliseconds * TimeSpan.TicksPerMillisecond);
        }

        static ZelfException Make(string message, Status status)
        {
            switch (status)
            {
                case Status.InvalidArgument: return new InvalidArgumentException(message, status);
                case Status.InvalidConfig: return new InvalidConfigException(message, status);
                case Status.Cancelled: return new CancelledException(message, status);
                case Status.Dns:
                case Status.Connect:
                case Status.ConnectionLost:
                case Status.Proxy: return new ConnectionException(message, status);
                case Status.Tls:
                case Status.PinMismatch: return new TlsException(message, status);
                case Status.Timeout: return new ZelfTimeoutException(message, status);
                case Status.RejectedOrigin: return new RejectedOriginException(message, status);
                case Status.RateLimited: return new RateLimitedException(message, status);
                case Status.Server:
                case Status.StartingUp: return new ServerException(message, status);
                case Status.SessionExpired:
                case Status.ForeignSession:
                case Status.GhostSession:
                case Status.OtherOptions: return new UnusableSessionException(message, status);
                default: return new ZelfException(message, status);
            }
        }
    }

    /// <summary>An argument is unusable.</summary>
    public class InvalidArgumentException : ZelfException
    {
        internal InvalidArgumentException(string message, Status status) : base(message, status) { }
    }

    /// <summary>A setting of the client is unusable.</summary>
    public class InvalidConfigException : InvalidArgumentException
    {
        internal InvalidConfigException(string message, Status status) : base(message, status) { }
    }

    /// <summary>The client was shut down. A CancellationToken gives OperationCanceledException.</summary>
    public class CancelledException : ZelfException
    {
        internal CancelledException(string message, Status status) : base(message, status) { }
    }

    /// <summary>The server or proxy was not reached, or the connection broke.</summary>
    public class ConnectionException : ZelfException
    {
        internal ConnectionException(string message, Status status) : base(message, status) { }
    }

    /// <summary>No secure connection could be made.</summary>
    public class TlsException : ConnectionException
    {
        internal TlsException(string message, Status status) : base(message, status) { }
    }

    /// <summary>A time limit has passed.</summary>
    public class ZelfTimeoutException : ZelfException
    {
        internal ZelfTimeoutException(string message, Status status) : base(message, status) { }
    }

    /// <summary>The server does not accept the origin.</summary>
    public class RejectedOriginException : ZelfException
    {
        internal RejectedOriginException(string message, Status status) : base(message, status) { }
    }

    /// <summary>Too many requests: see RetryAfter.</summary>
    public class RateLimitedException : ZelfException
    {
        internal RateLimitedException(string message, Status status) : base(message, status) { }
    }

    /// <summary>The server, or a proxy in front of it, failed.</summary>
    public class ServerException : ZelfException
    {
        internal ServerException(string message, Status status) : base(message, status) { }
    }

    /// <summary>The server returned a session that does not serve.</summary>
    public class UnusableSessionException : ZelfException
    {
        internal UnusableSessionException(string message, Status status) : base(message, status) { }
    }
}
