using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace StickyWs.Pipeline;

/// <summary>Whether the HTTP half was added to the application's pipeline, and to which part of it.</summary>
internal sealed class PipelineMark
{
    // The property in which UseRouting leaves its route builder.
    private const string RouteBuilder = "__EndpointRouteBuilder";

    /// <summary>The builder of the whole pipeline, if there is no <see cref="WebApplication"/>.</summary>
    public IApplicationBuilder? Root { private get; set; }

    /// <summary>Whether it was added to some pipeline.</summary>
    public bool IsSet { get; private set; }

    /// <summary>
    /// The routes of the main pipeline, which every request takes, if it was added there; branches (<c>Map</c>, <c>UseWhen</c>) have their own
    /// builders.
    /// </summary>
    public IEndpointRouteBuilder? Routes { get; private set; }

    public void Set(IApplicationBuilder app)
    {
        IsSet = true;
        if (app is WebApplication web) Routes = web;
        else if (ReferenceEquals(app, Root) && app.Properties.TryGetValue(RouteBuilder, out var routes)) Routes = routes as IEndpointRouteBuilder;
    }
}
