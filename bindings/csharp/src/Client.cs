using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Zelf
{
    /// <summary>Creates sessions with one set of settings. One client serves all threads of a program.</summary>
    public sealed class Client : IDisposable
    {
        // How long Dispose and the end of the process wait for a log callback that is running.
        const int ShutdownMs = 2000;

        // A static delegate is never collected, so the library can call it at any time.
        internal static readonly SessionCallback OnSession = PendingCall<Session>.Finish;
        internal static readonly ResponseCallback OnResponse = PendingCall<Response>.Finish;

        static readonly List<WeakReference<ClientHandle>> All = new List<WeakReference<ClientHandle>>();

        internal static volatile bool IsProcessEnding;

        // No callback may run in C# when the runtime is gone.
        static Client()
        {
            AppDomain.CurrentDomain.ProcessExit += delegate
            {
                IsProcessEnding = true;
                ShutDownAll();
            };
        }

        /// <summary>Makes a client for the public API.</summary>
        public Client() : this(new ClientSettings()) { }

        /// <summary>Checks the settings and makes a client.</summary>
        public Client(ClientSettings settings)
        {
            if (settings == null) throw new ArgumentNullException(nameof(settings));
            Library.Check();
            IntPtr error = IntPtr.Zero;
            using (ConfigHandle config = settings.ToNative())
                Handle = Native.zelf_client_new(config, ref error);
            ZelfException.ThrowIf(error);
            BaseUrl = new Uri(Zelf.Handle.ReadText(Handle, Native.zelf_client_base_url));
            Origin = Zelf.Handle.ReadText(Handle, Native.zelf_client_origin);
            lock (All)
            {
                All.RemoveAll(other => !other.TryGetTarget(out ClientHandle handle) || handle.IsClosed);
                All.Add(new WeakReference<ClientHandle>(Handle));
            }
        }

        internal ClientHandle Handle { get; }

        /// <summary>The base URL of the API.</summary>
        public Uri BaseUrl { get; }

        /// <summary>The Origin header, which the server requires.</summary>
        public string Origin { get; }

        /// <summary>Creates a session. Blocks until the answer or the time limit.</summary>
        public Session Create(SessionOptions options)
        {
            if (options == null) throw new ArgumentNullException(nameof(options));
            using (SessionOptionsHandle native = options.ToNative())
                return PendingCall<Session>.Wait(Start(native), Wrap, this);
        }

        /// <summary>Creates a session. Cancelling ends the call at once with OperationCanceledException.</summary>
        public Task<Session> CreateAsync(
            SessionOptions options, CancellationToken cancellation = default(CancellationToken))
        {
            if (options == null) throw new ArgumentNullException(nameof(options));
            using (SessionOptionsHandle native = options.ToNative())
                return PendingCall<Session>.Run(Start(native), Wrap, this, cancellation);
        }

        /// <summary>
        /// Sends a request with the token of a session, or without one if it is null. It renews
        /// nothing. Blocks for at most the request's time limit.
        /// </summary>
        public Response Send(Request request, Session session = null)
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            using (RequestHandle native = request.ToNative())
            using (SessionHandle none = new SessionHandle())
                return PendingCall<Response>.Wait(Start(session == null ? none : session.Handle, native), WrapResponse, this);
        }

        /// <summary>Sends a request like Send. The server may have carried out a cancelled call.</summary>
        public Task<Response> SendAsync(
            Request request, Session session = null, CancellationToken cancellation = default(CancellationToken))
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            using (RequestHandle native = request.ToNative())
            using (SessionHandle none = new SessionHandle())
                return PendingCall<Response>.Run(
                    Start(session == null ? none : session.Handle, native), WrapResponse, this, cancellation);
        }

        /// <summary>
        /// Cancels all asynchronous calls, and refuses new calls. Returns whether all callbacks
        /// have returned within the time.
        /// </summary>
        public bool Shutdown(int timeoutMs = ShutdownMs)
        {
            Status status = (Status)Native.zelf_client_shutdown(Handle, Library.Unsigned(timeoutMs, nameof(timeoutMs)));
            if (status != Status.Ok && status != Status.Timeout) throw ZelfException.Of(status);
            return status == Status.Ok;
        }

        /// <summary>Shuts the client down, and frees it when no thread is inside one of its calls.</summary>
        public void Dispose()
        {
            ShutDown(Handle);
            Handle.Dispose();
        }

        /// <summary>Shows the base URL.</summary>
        public override string ToString() => "Client for " + BaseUrl;

        internal static Session Wrap(IntPtr session) => new Session(new SessionHandle(session, true));

        internal static Response WrapResponse(IntPtr response) => new Response(new ResponseHandle(response, true));

        StartCall Start(SessionHandle session, RequestHandle request)
        {
            return (IntPtr userData, ref IntPtr error) => Native.zelf_session_send_async(
                Handle, session, request, OnResponse, userData, null, ref error);
        }

        StartCall Start(SessionOptionsHandle options)
        {
            return (IntPtr userData, ref IntPtr error) =>
                Native.zelf_session_create_async(Handle, options, OnSession, userData, null, ref error);
        }

        static void ShutDown(ClientHandle handle)
        {
            try
            {
                if (!handle.IsClosed) Native.zelf_client_shutdown(handle, ShutdownMs);
            }
            catch (ObjectDisposedException)
            {
                // Another thread disposed of it.
            }
        }

        static void ShutDownAll()
        {
            WeakReference<ClientHandle>[] all;
            lock (All) all = All.ToArray();
            foreach (WeakReference<ClientHandle> client in all)
                if (client.TryGetTarget(out ClientHandle handle)) ShutDown(handle);
        }
    }
}
