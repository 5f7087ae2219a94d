using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>Whether whoever asks may steer: what a POST of theirs would be told, so that a page offers nothing that would be refused.</summary>
internal sealed class SteeringRule(StickyWsDashboardOptions options, bool isDevelopment)
{
    /// <summary>Why every POST is refused, whoever asks.</summary>
    public const string ReadOnly = "read-only", PolicySkipped = "policy-skipped", Anonymous = "anonymous";

    private const string Policy = "policy";

    private static readonly SteeringAnswer Allowed = new(true, null);

    public async ValueTask<SteeringAnswer> CheckAsync(HttpContext context)
    {
        if (options.ReadOnly) return new SteeringAnswer(false, ReadOnly);
        if (IsNobodyAsked(context)) return new SteeringAnswer(false, Anonymous);
        if (options.SteerPolicy is not { } name) return Allowed;
        if (IsPolicySkipped(context)) return new SteeringAnswer(false, PolicySkipped);
        var policy = await context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>().GetPolicyAsync(name).ConfigureAwait(false);
        if (policy is null) return new SteeringAnswer(false, Policy);
        var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var user = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
        var result = await evaluator.AuthorizeAsync(policy, user, context, context).ConfigureAwait(false);
        return result.Succeeded ? Allowed : new SteeringAnswer(false, Policy);
    }

    /// <summary>Whether neither the endpoints nor the policy ask who somebody is, and that is not meant.</summary>
    public bool IsNobodyAsked(HttpContext context)
        => !(options.AnonymousSteering ?? isDevelopment) && options.SteerPolicy is null
            && !(context.GetEndpoint() is { } endpoint && LocalRule.IsReplaced(endpoint.Metadata));

    public bool IsPolicySkipped(HttpContext context)
        => options.SteerPolicy is not null && context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null;
}
