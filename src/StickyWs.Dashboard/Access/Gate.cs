using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>What every request passes before it is looked at, and what becomes of problems.</summary>
internal sealed class Gate(StickyWsDashboardOptions options, SteeringRule rule, Audit audit)
{
    /// <summary>Around what only shows something.</summary>
    public static RequestDelegate Reading(RequestDelegate answer) => context => RunAsync(context, answer, Check(context, isPage: false));

    /// <summary>Around the page, to which links may lead.</summary>
    public static RequestDelegate Page(RequestDelegate answer) => context => RunAsync(context, answer, Check(context, isPage: true));

    /// <summary>Around what changes something.</summary>
    public RequestDelegate Steering(RequestDelegate answer) => context =>
    {
        var problem = Check(context, isPage: false) ?? CheckSteering(context);
        if (problem is not null) audit.Refused(context, context.Request.Method, context.Request.Path.Value ?? "", problem.Detail);
        return RunAsync(context, answer, problem);
    };

    private static async Task RunAsync(HttpContext context, RequestDelegate answer, Problem? problem)
    {
        context.Response.Protect();
        try
        {
            if (problem is null) await answer(context).ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            problem = e.Problem;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // There is nobody to answer.
        }

        if (problem is not null) await context.WriteProblemAsync(problem).ConfigureAwait(false);
    }

    private static Problem? Check(HttpContext context, bool isPage)
    {
        if (OriginRule.Check(context, isPage) is { } foreign) return foreign;
        return context.GetEndpoint() is { } endpoint && LocalRule.IsReplaced(endpoint.Metadata) ? null : LocalRule.Check(context);
    }

    private Problem? CheckSteering(HttpContext context)
    {
        if (OriginRule.CheckHeader(context.Request) is { } missing) return missing;
        if (options.ReadOnly) return Problem.Forbidden(SteeringRule.ReadOnly, "The dashboard only shows: the application has set ReadOnly.");
        if (rule.IsPolicySkipped(context))
        {
            return Problem.Forbidden(SteeringRule.PolicySkipped,
                "AllowAnonymous on the dashboard's endpoints skips SteerPolicy: the application has to leave out one of them.");
        }

        if (rule.IsNobodyAsked(context))
        {
            return Problem.Forbidden(SteeringRule.Anonymous,
                "Nobody is asked who they are, and behind a proxy on this machine everybody may look local: use "
                + "MapStickyWsDashboard(...).RequireAuthorization(...), or set AnonymousSteering where no proxy leads here.");
        }

        return HasBody(context) ? Problem.NoBody() : null;
    }

    // Nothing reads it. While a wait goes on, it would hide that the client has left.
    private static bool HasBody(HttpContext context)
        => context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? context.Request.ContentLength is > 0;
}
