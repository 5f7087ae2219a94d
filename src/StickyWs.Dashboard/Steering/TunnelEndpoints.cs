using Microsoft.AspNetCore.Http;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Reading;
using StickyWs.Draining;

namespace StickyWs.Dashboard.Steering;

/// <summary>Tells one tunnel to go.</summary>
internal sealed class TunnelEndpoints(ITunnelControl control, Audit audit, TimeProvider time)
{
    private const string Goodbye = "goodbye";

    public Task AnswerAsync(HttpContext context)
    {
        var (id, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        var target = $"tunnel {id}";
        try
        {
            if (!word.Equals(Goodbye, StringComparison.OrdinalIgnoreCase))
                throw new ProblemException(Problem.NotFound($"There is no action '{Problem.Cut(word)}': add one after the id and a colon.", [":" + Goodbye]));
            _ = new Parameters(context.Request.Query);
            if (!control.SayGoodbye(id)) throw new ProblemException(Problem.NotFound($"There is no tunnel '{Problem.Cut(id)}': it may have ended.", []));
        }
        catch (ProblemException e)
        {
            audit.Refused(context, word, target, e.Problem.Detail);
            throw;
        }

        audit.Done(context, Goodbye, target, "told");
        return context.WriteAnswerAsync(new GoodbyeAnswer(time.GetUtcNow(), id), AnswerContext.Default.GoodbyeAnswer, StatusCodes.Status202Accepted);
    }
}
