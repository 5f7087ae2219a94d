using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A request body that is sent at most once, and that knows how far it came. <see cref="SocketsHttpHandler"/> repeats a request without
/// content on its own when a connection breaks, so a request that must not be repeated has this content even where it has no body.
/// </summary>
internal sealed class OnceContent : HttpContent
{
    private readonly HttpContent? _body;
    private readonly long? _length;
    private int _progress;

    /// <param name="body">The body; <see langword="null"/> for none, which is sent as one of no bytes.</param>
    public OnceContent(HttpContent? body)
    {
        _body = body;
        _length = body is null ? 0 : body.Headers.ContentLength;
        if (body is null) return;
        foreach (var (name, values) in body.Headers.NonValidated) Headers.TryAddWithoutValidation(name, values);
    }

    private enum Progress
    {
        Untouched,
        Started,
        Sent,
        ClientBroke,
    }

    /// <summary>Whether a byte of it may have been sent.</summary>
    public bool HasStarted => At != Progress.Untouched;

    /// <summary>Whether all of it was sent, so that the backend is who we wait for.</summary>
    public bool IsSent => At == Progress.Sent;

    /// <summary>Whether it ended because the client did not deliver it.</summary>
    public bool IsBrokenByClient => At == Progress.ClientBroke;

    /// <summary>What the client's side threw, when <see cref="IsBrokenByClient"/>.</summary>
    public Exception? ClientFailure { get; private set; }

    private Progress At => (Progress)Volatile.Read(ref _progress);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _progress, (int)Progress.Started, (int)Progress.Untouched) != (int)Progress.Untouched)
        {
            throw new InvalidOperationException("The request was sent before and is not sent twice.");
        }

        try
        {
            if (_body is not null) await _body.CopyToAsync(new PromptStream(stream), context, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _progress, (int)Progress.Sent);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // YARP's content swallows what goes wrong on the backend's side and throws what goes wrong on the client's.
            ClientFailure = e;
            Volatile.Write(ref _progress, (int)Progress.ClientBroke);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? -1;
        return _length is not null;
    }
}
