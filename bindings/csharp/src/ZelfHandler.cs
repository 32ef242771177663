using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;

namespace Zelf
{
    /// <summary>
    /// Puts the token of a provider's session, and the Origin header, on requests to the base
    /// URL. If the server refuses the session, it sends the request once more with a new one.
    /// Other requests pass unchanged. If the renewal after a refusal fails, the request fails with
    /// the exception of the renewal. The inner handler makes the connections: the pins, the CA
    /// file and the proxy of the client do not apply to them.
    /// </summary>
    public sealed class ZelfHandler : DelegatingHandler
    {
        // A longer body is never a refusal.
        const int LongestRefusal = 4096;

        readonly SessionProvider provider;

        /// <summary>Makes a handler that follows no redirects.</summary>
        public ZelfHandler(SessionProvider provider)
            : this(provider, new HttpClientHandler { AllowAutoRedirect = false }) { }

        /// <summary>Makes a handler.</summary>
        /// <param name="provider">whose session to use</param>
        /// <param name="inner">must not follow redirects, which could lead the token to another server</param>
        public ZelfHandler(SessionProvider provider, HttpMessageHandler inner) : base(inner)
        {
            this.provider = provider ?? throw new ArgumentNullException(nameof(provider));
        }

        /// <summary>Sends a request.</summary>
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            if (!IsForServer(request.RequestUri))
                return await base.SendAsync(request, cancellation).ConfigureAwait(false);
            // A stream could be sent only once.
            if (request.Content != null) await request.Content.LoadIntoBufferAsync().ConfigureAwait(false);
            for (bool isFirst = true; ; isFirst = false)
            {
                using (Session session = await provider.GetAsync(cancellation).ConfigureAwait(false))
                {
                    HttpResponseMessage response =
                        await SendWith(session, request, cancellation).ConfigureAwait(false);
                    if (!isFirst || !await IsRefused(session, response, cancellation).ConfigureAwait(false))
                        return response;
                    response.Dispose();
                }
            }
        }

        bool IsForServer(Uri address)
        {
            return Uri.Compare(address, provider.BaseUrl, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped,
                StringComparison.OrdinalIgnoreCase) == 0;
        }

        // Leaves no token in the request, whose text may be logged.
        async Task<HttpResponseMessage> SendWith(
            Session session, HttpRequestMessage request, CancellationToken cancellation)
        {
            request.Headers.Authorization = AuthenticationHeaderValue.Parse(session.GetAuthorization());
            request.Headers.Remove("Origin");
            request.Headers.TryAddWithoutValidation("Origin", provider.Origin);
            try
            {
                return await base.SendAsync(request, cancellation).ConfigureAwait(false);
            }
            finally
            {
                request.Headers.Authorization = null;
            }
        }

        // Reads the beginning of a refusal, and puts it back.
        async Task<bool> IsRefused(Session session, HttpResponseMessage response, CancellationToken cancellation)
        {
            if (response.StatusCode != HttpStatusCode.Unauthorized && response.StatusCode != HttpStatusCode.Forbidden)
                return false;
            HttpContent content = response.Content;
            Stream stream = await content.ReadAsStreamAsync().ConfigureAwait(false);
            byte[] beginning;
            try
            {
                beginning = await OrCancelled(Beginning(stream, cancellation), cancellation).ConfigureAwait(false);
            }
            catch
            {
                response.Dispose();
                throw;
            }
            response.Content = new StreamContent(new PrefixedStream(beginning, stream));
            foreach (KeyValuePair<string, IEnumerable<string>> header in content.Headers)
                response.Content.Headers.TryAddWithoutValidation(header.Key, header.Value);
            return provider.InvalidateIfRefused(session, (int)response.StatusCode, beginning);
        }

        static async Task<byte[]> Beginning(Stream stream, CancellationToken cancellation)
        {
            byte[] bytes = new byte[LongestRefusal + 1];
            int length = 0, count;
            while (length < bytes.Length && (count = await stream.ReadAsync(
                bytes, length, bytes.Length - length, cancellation).ConfigureAwait(false)) > 0)
                length += count;
            Array.Resize(ref bytes, length);
            return bytes;
        }

        // Ends with the token: not every stream heeds it.
        static async Task<T> OrCancelled<T>(Task<T> task, CancellationToken cancellation)
        {
            TaskCompletionSource<bool> cancelled =
                new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            using (cancellation.Register(delegate { cancelled.TrySetResult(true); }))
                await Task.WhenAny(task, cancelled.Task).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            return await task.ConfigureAwait(false);
        }

        // Bytes that were read from a stream, and the stream.
        sealed class PrefixedStream : Stream
        {
            readonly MemoryStream prefix;
            readonly Stream rest;

            internal PrefixedStream(byte[] prefix, Stream rest)
            {
                this.prefix = new MemoryStream(prefix, false);
                this.rest = rest;
            }

            public override bool CanRead => true;
            public override bool CanSeek => false;
            public override bool CanWrite => false;
            public override long Length => throw new NotSupportedException();

            public override long Position
            {
                get => throw new NotSupportedException();
                set => throw new NotSupportedException();
            }

            public override int Read(byte[] buffer, int offset, int count)
            {
                int length = prefix.Read(buffer, offset, count);
                return length > 0 ? length : rest.Read(buffer, offset, count);
            }

            public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellation)
            {
                int length = prefix.Read(buffer, offset, count);
                return length > 0 ? Task.FromResult(length) : rest.ReadAsync(buffer, offset, count, cancellation);
            }

            public override void Flush() { }
            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
            public override void SetLength(long value) => throw new NotSupportedException();
            public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            protected override void Dispose(bool isDisposing)
            {
                if (isDisposing) rest.Dispose();
                base.Dispose(isDisposing);
            }
        }
    }
}
