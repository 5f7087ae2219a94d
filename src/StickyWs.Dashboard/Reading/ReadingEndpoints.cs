using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StickyWs.Dashboard.Access;
using StickyWs.Dashboard.Answers;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Reading;

/// <summary>What can be asked for.</summary>
internal sealed class ReadingEndpoints(
    IStickyWsState state, IBackendControl control, TimeProvider time, StickyWsDashboardOptions options, SteeringRule rule, Listeners listeners)
{
    private static readonly byte[] Document = LoadDocument();

    public async Task StateAsync(HttpContext context)
    {
        _ = new Parameters(context.Request.Query);
        var steering = await rule.CheckAsync(context).ConfigureAwait(false);
        var found = state.Read();
        var answer = found.ToAnswer(options.ReadOnly) with
        {
            Steering = steering,
            Process = found.Process?.ToAnswer(time.GetUtcNow(), listeners.Addresses),
        };
        await context.WriteAnswerAsync(answer, AnswerContext.Default.StateAnswer).ConfigureAwait(false);
    }

    public Task DrainsAsync(HttpContext context)
    {
        _ = new Parameters(context.Request.Query);
        var answer = new DrainsAnswer(time.GetUtcNow(), [.. control.Read().Select(Translation.ToAnswer)]);
        return context.WriteAnswerAsync(answer, AnswerContext.Default.DrainsAnswer);
    }

    public async Task TunnelsAsync(HttpContext context)
    {
        var query = new Parameters(context.Request.Query, TunnelParameters.Known);
        var asked = new TunnelParameters(query);
        TunnelPage page;
        try
        {
            page = await state.FindTunnelsAsync(asked.Filter, asked.Order, asked.After, asked.IsReversed, context.RequestAborted).ConfigureAwait(false);
        }
        catch (FormatException)
        {
            throw query.Bad("after", "use what 'next' of the page before says");
        }

        TunnelAnswer[] shown = [.. page.Tunnels.Select(Translation.ToAnswer)];
        var answer = new TunnelsAnswer(time.GetUtcNow(), page.Open, page.Fitting, shown.Length, page.Next, shown);
        await context.WriteAnswerAsync(answer, AnswerContext.Default.TunnelsAnswer).ConfigureAwait(false);
    }

    public async Task FlowsAsync(HttpContext context)
    {
        var filter = TunnelParameters.FilterOf(new Parameters(context.Request.Query, TunnelParameters.Filters), limit: 0);
        var found = await state.CountTunnelsAsync(filter, context.RequestAborted).ConfigureAwait(false);
        var answer = new FlowsAnswer(time.GetUtcNow(), found.Open, found.Fitting, [.. found.Flows.Select(Translation.ToAnswer)]);
        await context.WriteAnswerAsync(answer, AnswerContext.Default.FlowsAnswer).ConfigureAwait(false);
    }

    public async Task TunnelAsync(HttpContext context)
    {
        _ = new Parameters(context.Request.Query);
        var id = RouteNames.Exact(context, "id", 0);
        var page = await state.FindTunnelsAsync(new TunnelFilter { Id = id, Limit = 1 }, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        if (page.Tunnels is not [var tunnel])
            throw new ProblemException(Problem.NotFound($"There is no tunnel '{Problem.Cut(id)}': it may have ended. {page.Open} are open.", []));
        await context.WriteAnswerAsync(tunnel.ToAnswer(), AnswerContext.Default.TunnelAnswer).ConfigureAwait(false);
    }

    public static async Task DocumentAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = Document.Length;
        await context.Response.Body.WriteAsync(Document, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Whatever is beneath the prefix is ours: it is neither a backend's nor a fallback's.</summary>
    public static Task NothingAsync(HttpContext context)
    {
        var asked = context.GetRouteValue("rest") as string ?? "";
        throw new ProblemException(Routes.MethodsOf(asked) is { Length: > 0 } methods
            ? Problem.WrongMethod(context.Request.Method, methods)
            : Problem.NotFound($"There is nothing at '{Problem.Cut(asked)}'.", Routes.All.Select(route => $"{route.Method} {route.Path}")));
    }

    private static byte[] LoadDocument()
    {
        using var stream = typeof(ReadingEndpoints).Assembly.GetManifestResourceStream("openapi.json")!;
        var document = new byte[stream.Length];
        stream.ReadExactly(document);
        return document;
    }
}
