using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using StickyWs.Access;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Pipeline;
using StickyWs.Transport;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace StickyWs.Upgrades;

/// <summary>
/// A client whose handshake came through the HTTP pipeline. Once its tunnel is open, <c>RequestAborted</c> is ignored: a FIN fires it while bytes may
/// still be on their way in both directions. What the client does is read from its stream.
/// </summary>
internal abstract class PipelineClient(HttpContext context) : PipeLeg
{
    private CancellationTokenSource? _watch;

    public HttpContext Context => context;

    /// <summary>Whether this is an HTTP/1.1 handshake with the client's own handshake headers.</summary>
    public abstract bool HasOwnKey { get; }

    /// <summary>Whether the client has received its 101.</summary>
    public bool IsUpgraded { get; private set; }

    /// <summary>Whether the client has received a complete response other than a 101.</summary>
    public bool IsAnswered { get; private set; }

    public override ClientInfo Info => new(context.Connection.RemoteIpAddress, context.Request.Scheme) { IsOfApplication = true };

    public override ConnectionTuple? Tuple => PipelineFacts.TupleOf(context);

    public override string ConnectionId => context.Connection.Id ?? context.TraceIdentifier; // Servers in memory may have none.

    public override string? TlsVersion => TlsVersions.Of(context.Features);

    public override bool IsInPipeline => true;

    public override ClientFacts Facts => PipelineFacts.ClientOf(context, Lane);

    public override CancellationToken Left => _watch?.Token ?? ClientLeft;

    public override bool IsTimedOut => Abandonment.IsTimedOut(context);

    /// <summary>Fires when the client has left.</summary>
    protected virtual CancellationToken ClientLeft => context.RequestAborted;

    protected override async ValueTask<IDuplexPipe?> OpenAsync(ResponseHead answer)
    {
        CopyHeaders(answer);
        try
        {
            context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout(); // A tunnel is not a slow request.
            Left.ThrowIfCancellationRequested();
            var pipe = await UpgradeAsync(answer).ConfigureAwait(false);
            IsUpgraded = true;
            return pipe;
        }
        catch (InvalidOperationException)
        {
            // Kestrel's MaxConcurrentUpgradedConnections is reached.
            context.Response.Clear();
            return null;
        }
    }

    public override async ValueTask RefuseAsync(Refusal refusal)
    {
        await UpgradeRefusals.WriteAsync(context, refusal).ConfigureAwait(false);
        IsAnswered = true;
    }

    public override async ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = answer.Status;
        context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = Encoding.Latin1.GetString(answer.Reason);
        CopyHeaders(answer);
        UpgradeRefusals.CloseAfterwards(context);
        if (ContentRules.DropContent(context.Response)) return;
        try
        {
            await body.CopyToAsync(context.Response.BodyWriter, context.Response.BodyWriter.FlushAsync, cancellationToken).ConfigureAwait(false);
            IsAnswered = true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Abort(); // A partial body must not look complete.
        }
    }

    public override void Abort()
    {
        if (!context.Response.HasStarted)
        {
            if (Abandonment.IsTimedOut(context)) return; // The client is still there, and gets a response.
            // Seen by logs only.
            context.Response.StatusCode = Left.IsCancellationRequested ? StatusCodes.Status499ClientClosedRequest : StatusCodes.Status502BadGateway;
        }

        context.Abort();
    }

    /// <summary>Until the tunnel is open, the application's request time-out counts as a client that left.</summary>
    public IDisposable? WatchTimeout()
        => _watch = context.Features.Get<IHttpRequestTimeoutFeature>() is { } timeout
            ? CancellationTokenSource.CreateLinkedTokenSource(ClientLeft, timeout.RequestTimeoutToken)
            : null;

    protected abstract ValueTask<IDuplexPipe> UpgradeAsync(ResponseHead answer);

    /// <summary>A raw stream as pipes that hold no buffer while they are idle.</summary>
    protected static IDuplexPipe ToPipe(Stream stream) => new DuplexPipe(
        PipeReader.Create(stream, new StreamPipeReaderOptions(useZeroByteReads: true, leaveOpen: true)),
        PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));

    private void CopyHeaders(ResponseHead answer)
    {
        var headers = answer.ReadHeaders();
        while (headers.Read())
        {
            if (answer.IsHopByHop(headers.Name) || IsForHttp11Only(headers.Name)) continue;
            context.Response.Headers.Append(Encoding.ASCII.GetString(headers.Name), Encoding.Latin1.GetString(headers.Value));
        }
    }

    // The backend's accept value answers a key that was generated here.
    private bool IsForHttp11Only(ReadOnlySpan<byte> name)
        => !HasOwnKey && Ascii.EqualsIgnoreCase(name, HeaderNames.SecWebSocketAccept);

    protected sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
