using Microsoft.AspNetCore.Http;
using StickyWs.Dashboard.Answers;
using StickyWs.State;

namespace StickyWs.Dashboard.Reading;

/// <summary>Shows what has ended, and what was refused.</summary>
internal sealed class RecentEndpoints(IStickyWsState state, TimeProvider time)
{
    public Task EndsAsync(HttpContext context)
    {
        var asked = new RecentParameters(new Parameters(context.Request.Query, RecentParameters.OfEnds), RecentParameters.LanesOfEnds);
        var all = state.ReadEnds();
        EndedTunnel[] fitting = [.. all.Where(asked.Fits)];
        EndAnswer[] shown = [.. fitting.Take(asked.Limit).Select(Translation.ToAnswer)];
        return context.WriteAnswerAsync(
            new EndsAnswer(time.GetUtcNow(), all.Count, fitting.Length, shown.Length, shown), AnswerContext.Default.EndsAnswer);
    }

    public Task RefusalsAsync(HttpContext context)
    {
        var asked = new RecentParameters(new Parameters(context.Request.Query, RecentParameters.OfRefusals), RecentParameters.LanesOfRefusals);
        var all = state.ReadRefusals();
        RefusedRequest[] fitting = [.. all.Where(asked.Fits)];
        RefusalAnswer[] shown = [.. fitting.Take(asked.Limit).Select(Translation.ToAnswer)];
        return context.WriteAnswerAsync(
            new RefusalsAnswer(time.GetUtcNow(), all.Count, fitting.Length, shown.Length, shown), AnswerContext.Default.RefusalsAnswer);
    }
}
