using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StickyWs.Pinning;
using StickyWs.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds the Redis pin store to a service collection, before or after the balancer. Calls add up, so configuration and code can be combined.
/// </summary>
public static class StickyWsRedisServiceCollectionExtensions
{
    /// <summary>Adds the pin store and reads its options from a configuration section.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">The section, usually <c>StickyWs:Redis</c>.</param>
    public static IServiceCollection AddStickyWebSocketRedis(this IServiceCollection services, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddSingleton<IConfigureOptions<RedisPinOptions>>(new RedisPinOptionsReader(section));
        services.AddSingleton(new RedisRoot(section.Path));
        return AddCore(services);
    }

    /// <summary>Adds the pin store and configures it in code.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options; runs after everything added before.</param>
    public static IServiceCollection AddStickyWebSocketRedis(this IServiceCollection services, Action<RedisPinOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        return AddCore(services);
    }

    // A store that the application registered before takes precedence.
    private static IServiceCollection AddCore(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(IValidateOptions<RedisPinOptions>))) return services;
        services.AddOptionsWithValidateOnStart<RedisPinOptions>();
        services.AddSingleton<IValidateOptions<RedisPinOptions>>(provider => new RedisPinOptionsValidator(
            provider.GetServices<RedisRoot>().LastOrDefault()?.Path ?? RedisPinOptions.SectionName));
        services.AddLogging();
        services.TryAddSingleton<IPinStore, RedisPinStore>();
        return services;
    }
}
