using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A request body as the HTTP client sends it, in one or several attempts. <see cref="SocketsHttpHandler"/> repeats a request without content on its
/// own when a connection breaks, so a request that must not be repeated has this content even if it has no body.
/// </summary>
internal sealed class RequestContent : HttpContent
{
    // Larger than any remaining body, and still written in no time.
    private const long MostFilled = 1L << 40;

    private static readonly byte[] Filling = new byte[1024 * 1024];

    private readonly BodyPump? _pump;
    private readonly long? _length;
    private readonly CancellationToken _activity;
    private readonly CancellationTokenSource _never = new();
    private volatile bool _hasStarted;
    private volatile bool _isWithBackend;

    /// <param name="body">YARP's content; <see langword="null"/> for none, which is sent as an empty body.</param>
    /// <param name="gate">The client's body.</param>
    /// <param name="activity">Cancels the request.</param>
    public RequestContent(HttpContent? body, BodyGate? gate, CancellationToken activity)
    {
        _activity = activity;
        _length = body is null ? 0 : body.Headers.ContentLength;
        if (body is null) return;
        _pump = new BodyPump(body, gate, _length);
        foreach (var (name, values) in body.Headers.NonValidated) Headers.TryAddWithoutValidation(name, values);
    }

    /// <summary>Whether sending has started and not completed yet.</summary>
    public bool IsUnderWay => _hasStarted && _pump is { IsSent: false };

    /// <summary>The exception of the client's side, if it did not deliver the whole body.</summary>
    public Exception? ClientFailure => _pump?.ClientFailure;

    /// <summary>Whether the client is the one being waited for.</summary>
    public bool AwaitsClient => _pump is { AwaitsClient: true };

    /// <summary>Whether the backend has, or may have, the request head: the HTTP client asks for the body after sending it.</summary>
    public bool IsWithBackend => _isWithBackend;

    /// <summary>Whether part of the body was not wanted.</summary>
    public bool IsUnwanted => _pump is { IsUnwanted: true };

    /// <summary>Whether it can be sent again.</summary>
    public bool CanRepeat => _pump is null or { CanRepeat: true };

    /// <summary>The request is about to be sent, or sent again.</summary>
    public void BeginAttempt() => _isWithBackend = false;

    /// <summary>The rest of the body is not wanted.</summary>
    public void GiveUp() => _pump?.GiveUp();

    /// <summary>It will not be sent again.</summary>
    public void Settle() => _pump?.Settle();

    /// <summary>The request is over.</summary>
    public void Forget() => _pump?.Forget();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _isWithBackend = true;
        try
        {
            await SendAsync(stream, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (Unprocessed.IsSaidBy(e))
        {
            _isWithBackend = false; // The HTTP client may try again on its own.
            throw;
        }
    }

    private async Task SendAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_pump is null) return;
        var isHttp2 = cancellationToken != _activity; // HTTP/2 has its own token, cancelled when the backend wants no more.
        var target = new BodyTarget(stream, isKept: isHttp2);
        try
        {
            // The head first: the client is not read for a connection that is closed.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            _hasStarted = true;
            if (!isHttp2) ProxiedRequest.Current?.Connection?.ReadAhead(); // The backend may respond before the client continues.
            var isWhole = await _pump.SendToAsync(target, context, isHttp2 ? _never.Token : _activity, cancellationToken).ConfigureAwait(false);
            if (!isWhole) await FillAsync(stream).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (isHttp2 && !_activity.IsCancellationRequested)
        {
            if (target.Given == _length) return; // The stream takes no more; the reader gets the response, or its failure.
            await AskWhyAsync(stream).ConfigureAwait(false);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? -1;
        return _length is not null;
    }

    // The HTTP client expects the announced number of bytes before it reads the response; the connection drops them.
    private async ValueTask FillAsync(Stream stream)
    {
        if (_length is not { } length) return;
        var rest = length - _pump!.Taken;
        if (rest > MostFilled) throw new IOException($"The backend responded before it had read the body, of which {rest} bytes are left.");
        for (; rest > 0; rest -= Filling.Length)
        {
            await stream.WriteAsync(Filling.AsMemory(0, (int)Math.Min(rest, Filling.Length)), CancellationToken.None).ConfigureAwait(false);
        }
    }

    // With HTTP/2 a write reports why the backend wants no more: the request may be repeated, or it failed. Otherwise the response is complete without the
    // rest (RFC 9113 section 8.1).
    private async ValueTask AskWhyAsync(Stream stream)
    {
        try
        {
            await stream.WriteAsync(Filling.AsMemory(0, 1), CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It reports nothing.
        }

        _pump!.GiveUp();
    }
}
