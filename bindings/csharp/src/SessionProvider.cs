using System;
using System.Threading;
using System.Threading.Tasks;

namespace Zelf
{
    /// <summary>Keeps one session for the program and renews it, so that a valid token is always there.</summary>
    public sealed class SessionProvider : IDisposable
    {
        readonly Client client;
        readonly SessionProviderHandle handle;

        /// <summary>Makes a provider with the default options. It makes no request.</summary>
        public SessionProvider(Client client, SessionOptions options)
            : this(client, options, new ProviderOptions()) { }

        /// <summary>Makes a provider. It makes no request, except with Background.</summary>
        /// <param name="client">may be disposed of later: the provider then serves until its session ends</param>
        /// <param name="options">must have an identifier and must not kill</param>
        /// <param name="provider">how the provider keeps its session</param>
        public SessionProvider(Client client, SessionOptions options, ProviderOptions provider)
        {
            if (options == null) throw new ArgumentNullException(nameof(options));
            if (provider == null) throw new ArgumentNullException(nameof(provider));
            this.client = client ?? throw new ArgumentNullException(nameof(client));
            using (SessionOptionsHandle native = options.ToNative())
            using (ProviderOptionsHandle nativeProvider = provider.ToNative())
            {
                IntPtr error = IntPtr.Zero;
                handle = Native.zelf_session_provider_new(client.Handle, native, nativeProvider, ref error);
                ZelfException.ThrowIf(error);
            }
        }

        /// <summary>The base URL of the API.</summary>
        public Uri BaseUrl => client.BaseUrl;

        /// <summary>The Origin header, which the server requires.</summary>
        public string Origin => client.Origin;

        /// <summary>
        /// Returns a session with at least MinValidS seconds left. With a valid session it does
        /// not block, otherwise at most for the client's time limit.
        /// </summary>
        public Session Get()
        {
            return GetCurrent() ?? PendingCall<Session>.Wait(StartGet, Client.Wrap, this);
        }

        /// <summary>
        /// Gets a session. With a valid session the task is already completed. Cancelling ends the
        /// call at once with OperationCanceledException.
        /// </summary>
        public async Task<Session> GetAsync(CancellationToken cancellation = default(CancellationToken))
        {
            cancellation.ThrowIfCancellationRequested();
            return GetCurrent()
                ?? await PendingCall<Session>.Run(StartGet, Client.Wrap, this, cancellation).ConfigureAwait(false);
        }

        /// <summary>
        /// Sends a request with the session, and returns an answer of any HTTP status. If the
        /// server refuses the session, the library sends the request again with a new one.
        /// </summary>
        public Response Send(Request request)
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            using (RequestHandle native = request.ToNative())
                return PendingCall<Response>.Wait(Start(native), Client.WrapResponse, this);
        }

        /// <summary>Sends a request like Send. The server may have carried out a cancelled call.</summary>
        public Task<Response> SendAsync(
            Request request, CancellationToken cancellation = default(CancellationToken))
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            using (RequestHandle native = request.ToNative())
                return PendingCall<Response>.Run(Start(native), Client.WrapResponse, this, cancellation);
        }

        /// <summary>
        /// Tells the provider that a route refused its session, so that the next Get renews it.
        /// Returns whether the provider held that session.
        /// </summary>
        public bool Invalidate(Session session)
        {
            if (session == null) throw new ArgumentNullException(nameof(session));
            return Native.zelf_session_provider_invalidate(handle, session.Handle);
        }

        /// <summary>
        /// Invalidates the session if an answer of another HTTP client refuses it. Returns true
        /// then: repeat the request once with the session of the next Get.
        /// </summary>
        /// <param name="session">the session that was sent</param>
        /// <param name="httpStatus">the HTTP status of the answer</param>
        /// <param name="body">the body of the answer; more than 4096 bytes are never a refusal</param>
        public bool InvalidateIfRefused(Session session, int httpStatus, byte[] body)
        {
            if (session == null) throw new ArgumentNullException(nameof(session));
            return Native.zelf_session_provider_invalidate_if_refused(
                handle, session.Handle, httpStatus, body, (UIntPtr)(body == null ? 0 : body.Length));
        }

        /// <summary>Returns why the last renewal failed, or null.</summary>
        public ZelfException GetLastError()
        {
            IntPtr error = Native.zelf_session_provider_last_error(handle);
            return error == IntPtr.Zero ? null : ZelfException.Take(error);
        }

        /// <summary>Frees the provider when no thread is inside one of its calls. Its sessions stay valid.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Shows no session.</summary>
        public override string ToString() => "SessionProvider for " + BaseUrl;

        StartCall Start(RequestHandle request)
        {
            return (IntPtr userData, ref IntPtr error) => Native.zelf_session_provider_send_async(
                handle, request, Client.OnResponse, userData, null, ref error);
        }

        // Returns the session that needs no request, or null.
        Session GetCurrent()
        {
            SessionHandle session = Native.zelf_session_provider_current(handle);
            return session.IsInvalid ? null : new Session(session);
        }

        CallHandle StartGet(IntPtr userData, ref IntPtr error)
        {
            return Native.zelf_session_provider_get_async(handle, Client.OnSession, userData, null, ref error);
        }
    }
}
