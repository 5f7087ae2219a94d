using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Access;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Binding;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.Dialing;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Draining;
using StickyWs.Forwarding;
using StickyWs.Health;
using StickyWs.Hosting;
using StickyWs.Names;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Pipeline;
using StickyWs.Proxying;
using StickyWs.State;
using StickyWs.Transport;
using StickyWs.Tunnels;
using StickyWs.Upgrades;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds StickyWs to a service collection. Calls are cumulative, so that configuration and code can be combined.</summary>
public static class StickyWsServiceCollectionExtensions
{
    /// <summary>Adds the balancer and binds it to a configuration section, with live reload.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">The section, usually <c>StickyWs</c>.</param>
    public static IServiceCollection AddStickyWebSocketBalancing(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        services.AddSingleton<IConfigureOptions<StickyWsOptions>>(new StickyWsOptionsReader(section));
        services.AddSingleton<IOptionsChangeTokenSource<StickyWsOptions>>(new ConfigurationChangeTokenSource<StickyWsOptions>(section));
        services.AddSingleton(new OptionsRoot(section.Path));
        return AddCore(services);
    }

    /// <summary>Adds the balancer and configures it in code.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options; runs after earlier registrations, and again whenever the configuration changes.</param>
    public static IServiceCollection AddStickyWebSocketBalancing(this IServiceCollection services, Action<StickyWsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        return AddCore(services);
    }

    private static IServiceCollection AddCore(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(BackendRegistry))) return services;
        AddOptions(services);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<StickyWsMetrics>();
        services.AddSingleton<RegistryMetrics>();
        services.AddSingleton<TunnelMetrics>();
        services.AddSingleton<CertificateMetrics>();
        services.AddSingleton(provider =>
        {
            var lane = provider.GetService<RawLane>();
            return new ReactorMetrics(provider.GetRequiredService<StickyWsMetrics>(), () => lane?.Threads);
        });
        services.AddSingleton<INameResolver, SystemNameResolver>();
        services.AddSingleton<AddressBook>();
        services.AddSingleton<BackendRegistry>();
        AddAffinity(services);
        AddDispatch(services);
        AddForwarding(services);
        AddProxying(services);
        AddHealth(services);
        AddKestrel(services);
        AddTransport(services);
        return services;
    }

    private static void AddOptions(IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<StickyWsOptions>();
        services.AddSingleton(provider => new KnownPolicies(provider.GetServices<ILoadBalancingPolicy>().Select(policy => policy.Name)));
        services.AddSingleton<IValidateOptions<StickyWsOptions>>(provider => new StickyWsOptionsValidator(
            provider.GetServices<OptionsRoot>().LastOrDefault()?.Path ?? StickyWsOptions.SectionName,
            provider.GetRequiredService<KnownPolicies>(),
            provider.GetService<IServiceProviderIsService>()?.IsService(typeof(IPinStore)) == true));
        services.AddSingleton<PipelineMark>();
        services.AddSingleton<ConfigurationAdvice>();
        services.AddSingleton<ConfigurationSources>();
        services.AddSingleton<IOptionsMonitor<StickyWsOptions>, LastGoodOptionsMonitor>();
        services.AddSingleton<IBackendSource, ConfiguredBackends>();
        services.AddHostedService<RegistryFeeder>();
    }

    // A shared store and Data Protection are optional; the application adds them.
    private static void AddAffinity(IServiceCollection services)
    {
        services.AddSingleton(provider => new CookieSeals(provider.GetService<IDataProtectionProvider>(), provider.GetRequiredService<ILogger<CookieSeals>>()));
        services.AddSingleton(provider => new Pins(
            provider.GetRequiredService<BackendRegistry>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<IPinStore>() is { } store ? ActivatorUtilities.CreateInstance<SharedPins>(provider, store) : null));
        services.AddSingleton<AffinityServices>();
        services.AddSingleton<ClaimResolver>();
        services.AddHostedService<PinKeeper>();
    }

    private static void AddDispatch(IServiceCollection services)
    {
        services.AddSingleton<ILoadBalancingPolicy, RoundRobinPolicy>();
        services.AddSingleton<ILoadBalancingPolicy, LeastConnectionsPolicy>();
        services.AddSingleton<ILoadBalancingPolicy, PowerOfTwoChoicesPolicy>();
        services.AddSingleton<PolicyTable>();
        services.AddSingleton<WaitingRoom>();
        services.AddSingleton<Dispatcher>();
    }

    private static void AddForwarding(IServiceCollection services)
    {
        services.AddSingleton<Tracer>();
        services.AddSingleton<Attention>();
        services.AddSingleton<RecentLines>();
        services.AddSingleton<AccessLog>();
        services.AddSingleton<Accounts>();
        services.AddHostedService<AccessLogFlush>();
        services.AddSingleton<ShortageLog>();
        services.AddSingleton<BackendDialer>();
        services.AddSingleton<RawBackendTls>();
        services.AddSingleton<Handshake>();
        services.AddSingleton<TunnelTable>();
        services.AddSingleton<FailureLog>();
        services.AddSingleton<StickyForwarder>();
        services.AddSingleton<PassthroughForwarder>();
        services.AddSingleton<IStickyWsState, StickyWsState>();
        services.AddSingleton<Drains>();
        services.AddHostedService(provider => provider.GetRequiredService<Drains>());
        services.AddHostedService<DownBackends>();
        services.AddHostedService<Rebalancer>();
        services.AddHostedService<Outliers>();
        services.AddSingleton<IBackendControl, BackendControl>();
        services.AddSingleton<ITunnelControl, TunnelControl>();
        services.AddSingleton<ProcessReadiness>();
        services.AddSingleton<StopSignals>();
        services.AddHostedService<TunnelShutdown>();
        services.AddHostedService<TunnelSweeper>();
    }

    // The filter goes to index 0, so that no middleware comes before it.
    private static void AddProxying(IServiceCollection services)
    {
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, ArrivalFilter>());
        services.AddSingleton<MatcherPolicy, FallbackPolicy>();
        services.AddSingleton<QuietForwarder>();
        services.AddSingleton<UpgradeProxy>();
        services.AddSingleton<ForwardedHeaders>();
        services.AddSingleton<PriorKnowledge>();
        services.AddSingleton<DialMeter>();
        services.AddSingleton<KeptConnections>();
        services.AddSingleton(provider => new ClientSettings(
            provider.GetRequiredService<AddressBook>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<DialMeter>(),
            provider.GetService<RawLane>(),
            provider.GetRequiredService<DescriptorBudget>(), provider.GetRequiredService<KeptConnections>()));
        services.AddSingleton<BackendClientTable>();
        services.AddSingleton<BoundClients>();
        services.AddSingleton<RequestProxy>();
    }

    // After the registry's feeder, which supplies the backends for the first probes.
    private static void AddHealth(IServiceCollection services)
    {
        services.AddSingleton<BreakerBoard>();
        services.AddSingleton<IOutcomeSink>(provider => provider.GetRequiredService<BreakerBoard>());
        services.AddSingleton<IProbeFactory, ProbeFactory>();
        services.AddHostedService<HealthMonitor>();
    }

    // At index 0, because a listener that is added in code takes the endpoint defaults set so far.
    private static void AddKestrel(IServiceCollection services)
    {
        services.AddSingleton<DirectServices>();
        services.AddSingleton<DirectLane>();
        services.AddSingleton<SniffingServices>();
        services.AddSingleton<SharedTicketKeys>();
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>, KestrelSetup>());
        services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>, KestrelHeaderEncoding>();
        services.AddHostedService<PrivateKeyWatch>();
        services.AddHostedService<DirectAdvice>();
    }

    // Kestrel asks the factory added last first, and adds its own only if there is none yet. A factory of the application's keeps precedence.
    private static void AddTransport(IServiceCollection services)
    {
        services.AddSingleton(provider => new DescriptorBudget(
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DescriptorBudget>>(),
            tunnels: () => provider.GetRequiredService<TunnelTable>().Count));
        services.AddHostedService<DescriptorCheck>();
        var isKestrelAlone = services.Where(service => service.ServiceType == typeof(IConnectionListenerFactory))
            .All(service => service.ImplementationType?.Namespace?.StartsWith("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal) == true);
        if (!isKestrelAlone)
        {
            services.AddSingleton<IValidateOptions<StickyWsOptions>, RawLaneRefusal>();
            return;
        }

        services.AddSingleton<IPostConfigureOptions<SocketTransportOptions>, TransportBufferSetup>();
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.TryAddSingleton<SocketTransportFactory>();
        services.AddSingleton<IConnectionListenerFactory, GuardedTransportFactory>();
        services.AddSingleton<RawLane>();
        services.AddSingleton<ConfiguredEndpoints>();
        services.AddSingleton(provider => new ListenerHandover(
            provider.GetRequiredService<ConfiguredEndpoints>().IsKept, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ListenerHandover>>()));
        services.AddSingleton<IConnectionListenerFactory, RawTransportFactory>();
    }
}
