using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Dashboard;
using StickyWs.Dashboard.Access;
using StickyWs.Dashboard.Events;
using StickyWs.Dashboard.Page;
using StickyWs.Dashboard.Reading;
using StickyWs.Dashboard.Steering;
using StickyWs.Draining;
using StickyWs.State;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the dashboard's endpoints.</summary>
public static class StickyWsDashboardEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the page and the API that show and steer the balancer. Until the result requires authorization, only clients on this machine are answered,
    /// and only in the environment Development may they steer (<see cref="StickyWsDashboardOptions.AnonymousSteering"/>). All paths below the prefix are the
    /// dashboard's, before any pool and any fallback.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The prefix; it may not be empty.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>All endpoints together: authorization, rate limits and CORS are the application's to add.</returns>
    /// <exception cref="ArgumentException">The prefix is empty, or an option is out of its range.</exception>
    /// <exception cref="InvalidOperationException"><c>AddStickyWebSocketBalancing</c> was not called, or there is no such policy.</exception>
    public static IEndpointConventionBuilder MapStickyWsDashboard(
        this IEndpointRouteBuilder endpoints, string pattern = "/stickyws", Action<StickyWsDashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.Trim('/').Length == 0)
            throw new ArgumentException("The prefix is empty, so every request would be the dashboard's: use /stickyws.", nameof(pattern));
        var services = endpoints.ServiceProvider;
        if (services.GetService<IStickyWsState>() is not { } state)
            throw new InvalidOperationException("StickyWs is not added: call builder.AddStickyWebSocketBalancing() before builder.Build().");
        var options = new StickyWsDashboardOptions();
        configure?.Invoke(options);
        CheckPolicy(services, options.Checked().SteerPolicy);

        var group = endpoints.MapGroup(pattern);
        group.WithMetadata(new DisableRequestTimeoutAttribute()); // Event streams and drains take the time that they were asked for.
        var rule = new SteeringRule(options, services.GetRequiredService<IHostEnvironment>().IsDevelopment());
        var audit = new Audit(services.GetRequiredService<ILoggerFactory>(), services.GetRequiredService<TimeProvider>());
        var gate = new Gate(options, rule, audit);
        MapReading(group, gate, services, state, options, rule);
        MapSteering(group, gate, services, state, options, audit);
        var mark = new object();
        group.WithMetadata(mark);
        var notice = new StartNotice(endpoints, mark, pattern, services.GetRequiredService<ILogger<StartNotice>>());
        services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(notice.Write);
        return group;
    }

    private static void MapReading(
        RouteGroupBuilder group, Gate gate, IServiceProvider services, IStickyWsState state, StickyWsDashboardOptions options, SteeringRule rule)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var listeners = new Listeners(services.GetService<IServer>());
        var reading = new ReadingEndpoints(state, services.GetRequiredService<IBackendControl>(), time, options, rule, listeners);
        var recent = new RecentEndpoints(state, time);
        var hub = new EventHub(state, time, options, services.GetRequiredService<ILogger<EventHub>>());
        var events = new EventsEndpoint(hub, time, services.GetRequiredService<IHostApplicationLifetime>());
        group.MapGet("state", Gate.Reading(reading.StateAsync));
        group.MapGet("drains", Gate.Reading(reading.DrainsAsync));
        group.MapGet("tunnels", Gate.Reading(reading.TunnelsAsync));
        group.MapGet("tunnels/{id}", Gate.Reading(reading.TunnelAsync));
        group.MapGet("flows", Gate.Reading(reading.FlowsAsync));
        group.MapGet("ends", Gate.Reading(recent.EndsAsync));
        group.MapGet("refusals", Gate.Reading(recent.RefusalsAsync));
        group.MapGet("events", Gate.Reading(events.AnswerAsync));
        group.MapGet("openapi.json", Gate.Reading(ReadingEndpoints.DocumentAsync));
        foreach (var (path, answer) in PageEndpoints.With(options.Banner)) group.MapGet(path, path.Length == 0 ? Gate.Page(answer) : Gate.Reading(answer));
        group.Map("{**rest}", Gate.Reading(ReadingEndpoints.NothingAsync));
    }

    private static void MapSteering(
        RouteGroupBuilder group, Gate gate, IServiceProvider services, IStickyWsState state, StickyWsDashboardOptions options, Audit audit)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var backends = new BackendEndpoints(state, services.GetRequiredService<IBackendControl>(), audit, new Waits(options), time,
            services.GetRequiredService<IHostApplicationLifetime>());
        var tunnels = new TunnelEndpoints(services.GetRequiredService<ITunnelControl>(), state, audit, time);
        Map("backends/{pool}/{target}", backends.BackendAsync);
        Map("backends:{action}", backends.NamedAsync);
        Map("pools/{target}", backends.PoolAsync);
        Map("tunnels/{target}", tunnels.AnswerAsync);

        void Map(string path, RequestDelegate answer)
        {
            var endpoint = group.MapPost(path, gate.Steering(answer));
            if (options.SteerPolicy is { } policy) endpoint.RequireAuthorization(policy);
        }
    }

    // A policy that does not exist would fail each request. Providers that take their time are not waited for.
    private static void CheckPolicy(IServiceProvider services, string? policy)
    {
        if (policy is null) return;
        var provider = services.GetService<IAuthorizationPolicyProvider>()
            ?? throw new InvalidOperationException($"SteerPolicy is '{policy}', but there is no authorization: call builder.Services.AddAuthorization(...).");
        var finding = provider.GetPolicyAsync(policy);
        if (finding.IsCompletedSuccessfully && finding.Result is null)
            throw new InvalidOperationException($"SteerPolicy is '{policy}', but there is no such policy: add it by AddAuthorization, or correct the name.");
    }
}
