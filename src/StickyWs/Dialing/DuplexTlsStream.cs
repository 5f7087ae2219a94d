using System.Net.Security;
using System.Runtime.CompilerServices;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>
/// TLS of which one direction can be finished while bytes still come in the other. The runtime's own <see cref="SslStream.ShutdownAsync"/> may not
/// run beside a read: on OpenSSL it reads, too, and takes no lock against a read that decrypts in that moment, and then either fails (seen with .NET
/// 10.0). So whoever uses what has been received does it in turn, and a read gives its turn away while it waits for the network.
/// </summary>
#pragma warning disable CA2213 // A semaphore that nobody has asked for a handle holds nothing but memory, and a read may come behind the dispose.
internal sealed class DuplexTlsStream : AsyncStream
#pragma warning restore CA2213
{
    // The handshake has the first turn.
    private readonly SemaphoreSlim _turn = new(0, 1);
    private readonly SslStream _session;

    private DuplexTlsStream(Stream plain) => _session = new SslStream(new Below(plain, _turn));

    /// <summary>Does the handshake.</summary>
    /// <param name="plain">The connection; the result owns it, and it is disposed of where there is none.</param>
    /// <param name="authenticate">The handshake.</param>
    public static async ValueTask<DuplexTlsStream> OpenAsync(Stream plain, Func<SslStream, Task> authenticate)
    {
        var stream = new DuplexTlsStream(plain);
        try
        {
            await authenticate(stream._session).ConfigureAwait(false);
            stream._turn.Release();
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _session.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _session.WriteAsync(buffer, cancellationToken);

    /// <summary>Says that nothing more will be written (close_notify, RFC 8446 section 6.1). Behind the last write; reads go on.</summary>
    /// <exception cref="IOException">The session is broken.</exception>
    public async ValueTask FinishWritingAsync()
    {
        try
        {
            await (await BeginFinishAsync().ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (IOException or ObjectDisposedException))
        {
            throw new IOException("The TLS session is broken.", e); // Its exception depends on the system's library.
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _session.Dispose();
        base.Dispose(disposing);
    }

    // The message is made within the turn, and sent behind it: a peer who does not receive must not keep us from receiving.
    private async ValueTask<Task> BeginFinishAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return _session.ShutdownAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The connection below the session.</summary>
    private sealed class Below(Stream plain, SemaphoreSlim turn) : AsyncStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = plain.ReadAsync(buffer, cancellationToken);
            return read.IsCompletedSuccessfully ? read : AwaitAsync(read);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => plain.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing) plain.Dispose();
            base.Dispose(disposing);
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<int> AwaitAsync(ValueTask<int> read)
        {
            turn.Release();
            try
            {
                return await read.ConfigureAwait(false);
            }
            finally
            {
                await turn.WaitAsync().ConfigureAwait(false);
            }
        }
    }
}
