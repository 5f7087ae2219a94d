using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Reading;

namespace StickyWs.Dashboard.Events;

/// <summary>The event stream. A reader that takes nothing for ten seconds is cut off; one that is slow gets snapshots instead of what it missed.</summary>
internal sealed class EventsEndpoint(EventHub hub, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int MostAtATime = 64 * 1024;

    /// <summary>The parameters that there are.</summary>
    public static string[] Known { get; } = ["tunnels", "refusals"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task AnswerAsync(HttpContext context)
    {
        var query = new Parameters(context.Request.Query, Known);
        var wanted = (query.Flag("tunnels", true) ? EventKind.Tunnel : 0) | (query.Flag("refusals", true) ? EventKind.Refusal : 0);
        if (lifetime.ApplicationStopping.IsCancellationRequested) throw new ProblemException(Problem.Busy("The application is stopping."));
        using var reader = hub.TryJoin(wanted) ?? throw new ProblemException(Problem.Busy("MaxEventStreams allows no more event streams."));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // Asks nginx in front not to collect.
        try
        {
            context.Response.BodyWriter.Write("retry: 2000\n\n"u8);
            do
            {
                WriteSome(reader, context.Response);
                await FlushAsync(context.Response, end.Token).ConfigureAwait(false);
            }
            while (await reader.WaitAsync(end.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The reader left, or the application stops.
        }
        catch (TimeoutException)
        {
            context.Abort();
        }
    }

    private static void WriteSome(EventReader reader, HttpResponse response)
    {
        for (var length = 0; length < MostAtATime && reader.TryRead(out var frame); length += frame.Bytes.Length) response.BodyWriter.Write(frame.Bytes.Span);
    }

    private async Task FlushAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        var flushing = response.BodyWriter.FlushAsync(cancellationToken);
        if (!flushing.IsCompleted) await flushing.AsTask().WaitAsync(Patience, time, cancellationToken).ConfigureAwait(false);
        else await flushing.ConfigureAwait(false);
    }
}
