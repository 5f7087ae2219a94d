using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A request body as the HTTP client sends it, in one attempt or in several. <see cref="SocketsHttpHandler"/> repeats a request without content on
/// its own when a connection breaks, so a request that must not be repeated has this content even where it has no body.
/// </summary>
internal sealed class RequestContent : HttpContent
{
    // What no length of a body comes near, and is yet written away in no time.
    private const long MostFilled = 1L << 40;

    private static readonly byte[] Filling = new byte[1024 * 1024];

    private readonly BodyPump? _pump;
    private readonly long? _length;
    private readonly CancellationToken _activity;
    private readonly CancellationTokenSource _never = new();
    private volatile bool _hasStarted;
    private volatile bool _isWithBackend;

    /// <param name="body">YARP's content; <see langword="null"/> for none, which is sent as one of no bytes.</param>
    /// <param name="gate">The client's body.</param>
    /// <param name="activity">Ends the request.</param>
    public RequestContent(HttpContent? body, BodyGate? gate, CancellationToken activity)
    {
        _activity = activity;
        _length = body is null ? 0 : body.Headers.ContentLength;
        if (body is null) return;
        _pump = new BodyPump(body, gate, _length);
        foreach (var (name, values) in body.Headers.NonValidated) Headers.TryAddWithoutValidation(name, values);
    }

    /// <summary>Whether it is being sent, and not sent yet.</summary>
    public bool IsUnderWay => _hasStarted && _pump is { IsSent: false };

    /// <summary>What the client's side threw, when it did not deliver all of it.</summary>
    public Exception? ClientFailure => _pump?.ClientFailure;

    /// <summary>Whether the client is who is waited for.</summary>
    public bool AwaitsClient => _pump is { AwaitsClient: true };

    /// <summary>Whether the backend has, or may have, the head of the request: the HTTP client asks for the body behind it.</summary>
    public bool IsWithBackend => _isWithBackend;

    /// <summary>Whether nobody wanted all of it.</summary>
    public bool IsUnwanted => _pump is { IsUnwanted: true };

    /// <summary>Whether it can be sent once more.</summary>
    public bool CanRepeat => _pump is null or { CanRepeat: true };

    /// <summary>The request is about to be sent, or sent once more.</summary>
    public void BeginAttempt() => _isWithBackend = false;

    /// <summary>Nobody wants the rest of it.</summary>
    public void GiveUp() => _pump?.GiveUp();

    /// <summary>It will not be sent once more.</summary>
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
        var isHttp2 = cancellationToken != _activity; // HTTP/2 has a token of its own, for when the backend wants no more.
        var target = new BodyTarget(stream, isKept: isHttp2);
        try
        {
            // The head first: nothing is taken from the client for a connection that is closed.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            _hasStarted = true;
            if (!isHttp2) ProxiedRequest.Current?.Connection?.ReadAhead(); // The backend may answer before the client goes on.
            var isWhole = await _pump.SendToAsync(target, context, isHttp2 ? _never.Token : _activity, cancellationToken).ConfigureAwait(false);
            if (!isWhole) await FillAsync(stream).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (isHttp2 && !_activity.IsCancellationRequested)
        {
            if (target.Given == _length) return; // The stream takes no more, and the answer, or why there is none, will be told to its reader.
            await AskWhyAsync(stream).ConfigureAwait(false);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? -1;
        return _length is not null;
    }

    // The HTTP client wants as many bytes as were announced before it reads the answer; the connection drops them.
    private async ValueTask FillAsync(Stream stream)
    {
        if (_length is not { } length) return;
        var rest = length - _pump!.Taken;
        if (rest > MostFilled) throw new IOException($"The backend answered before it had read the body, of which {rest} bytes are left.");
        for (; rest > 0; rest -= Filling.Length)
        {
            await stream.WriteAsync(Filling.AsMemory(0, (int)Math.Min(rest, Filling.Length)), CancellationToken.None).ConfigureAwait(false);
        }
    }

    // HTTP/2 tells a write why it wants no more: the request may be repeated, or it failed. If neither, the answer is whole without it (RFC 9113 section 8.1).
    private async ValueTask AskWhyAsync(Stream stream)
    {
        try
        {
            await stream.WriteAsync(Filling.AsMemory(0, 1), CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It says nothing.
        }

        _pump!.GiveUp();
    }
}
