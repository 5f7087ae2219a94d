using Microsoft.AspNetCore.Http;
using StickyWs.Dashboard.Access;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Reading;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Steering;

/// <summary>Tells one tunnel to go, or aborts it.</summary>
internal sealed class TunnelEndpoints(ITunnelControl control, IStickyWsState state, Audit audit, TimeProvider time)
{
    private const string Goodbye = "goodbye";
    private const string Cut = "cut";

    /// <summary>The parameters that there are.</summary>
    public static string[] Known { get; } = ["dryRun"];

    /// <summary>What can be done.</summary>
    public static string[] Actions { get; } = [Goodbye, Cut];

    public async Task AnswerAsync(HttpContext context)
    {
        var (id, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        var target = $"tunnel {id}";
        TunnelStatus? tunnel;
        string action;
        bool isDryRun;
        try
        {
            action = Array.Find(Actions, known => known.Equals(word, StringComparison.OrdinalIgnoreCase)) ?? throw NoAction(word);
            isDryRun = new Parameters(context.Request.Query, Known).Flag("dryRun");
            tunnel = await FindAsync(id, context.RequestAborted).ConfigureAwait(false);
            var isThere = isDryRun ? tunnel is not null : Do(action, id);
            if (!isThere) throw new ProblemException(Problem.NotFound($"There is no tunnel '{Problem.Cut(id)}': it may have ended.", []));
        }
        catch (ProblemException e)
        {
            if (!Audit.IsDry(context)) audit.Refused(context, word, target, e.Problem.Detail);
            throw;
        }

        if (!isDryRun) audit.Done(context, action, target, action == Cut ? "aborted" : "told");
        var answer = new TunnelSteerAnswer(time.GetUtcNow(), id, action, isDryRun, tunnel?.ToAnswer());
        var status = isDryRun ? StatusCodes.Status200OK : StatusCodes.Status202Accepted;
        await context.WriteAnswerAsync(answer, AnswerContext.Default.TunnelSteerAnswer, status).ConfigureAwait(false);
    }

    private static ProblemException NoAction(string word) => new(Problem.NotFound(
        $"There is no action '{Problem.Cut(word)}': add one after the id and a colon.", Actions.Select(known => ":" + known)));

    private bool Do(string action, string id) => action == Cut ? control.Cut(id) : control.SayGoodbye(id);

    private async Task<TunnelStatus?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var page = await state.FindTunnelsAsync(new TunnelFilter { Id = id, Limit = 1 }, cancellationToken: cancellationToken).ConfigureAwait(false);
        return page.Tunnels is [var tunnel] ? tunnel : null;
    }
}
