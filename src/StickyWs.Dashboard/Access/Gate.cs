using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>What every request passes before it is looked at, and what becomes of problems.</summary>
internal sealed class Gate(StickyWsDashboardOptions options, SteeringRule rule)
{
    /// <summary>Around what only shows something.</summary>
    public RequestDelegate Reading(RequestDelegate answer) => context => RunAsync(context, answer, isSteering: false);

    /// <summary>Around what changes something.</summary>
    public RequestDelegate Steering(RequestDelegate answer) => context => RunAsync(context, answer, isSteering: true);

    private async Task RunAsync(HttpContext context, RequestDelegate answer, bool isSteering)
    {
        context.Response.Protect();
        var problem = Check(context, isSteering);
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

    private Problem? Check(HttpContext context, bool isSteering)
    {
        var isReplaced = context.GetEndpoint() is { } endpoint && LocalRule.IsReplaced(endpoint.Metadata);
        if ((isReplaced ? null : LocalRule.Check(context)) is { } remote) return remote;
        if (OriginRule.Check(context) is { } foreign) return foreign;
        if (!isSteering) return null;
        if (OriginRule.CheckHeader(context.Request) is { } missing) return missing;
        if (options.ReadOnly) return Problem.Forbidden(SteeringRule.ReadOnly, "The dashboard only shows: the application has set ReadOnly.");
        if (rule.IsPolicySkipped(context))
        {
            return Problem.Forbidden(SteeringRule.PolicySkipped,
                "AllowAnonymous on the dashboard's endpoints skips SteerPolicy: the application has to leave out one of them.");
        }

        return HasBody(context) ? Problem.NoBody() : null;
    }

    // Nothing reads it. While a wait goes on, it would hide that the client has left.
    private static bool HasBody(HttpContext context)
        => context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? context.Request.ContentLength is > 0;
}
