using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.Redis;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Has the pins of StickyWs shared through Redis.</summary>
public static class StickyWsRedisHostBuilderExtensions
{
    /// <summary>
    /// Keeps pins in Redis, where other instances find them; reads the section <c>StickyWs:Redis</c>. May stand before or behind
    /// <c>AddStickyWebSocketBalancing</c>.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    public static TBuilder AddStickyWebSocketRedis<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddStickyWebSocketRedis(builder.Configuration.GetSection(RedisPinOptions.SectionName));
    }

    /// <summary>As <see cref="AddStickyWebSocketRedis{TBuilder}(TBuilder)"/>, with a section of your own.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="section">The section.</param>
    public static TBuilder AddStickyWebSocketRedis<TBuilder>(this TBuilder builder, IConfigurationSection section)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketRedis(section);
        return builder;
    }

    /// <summary>
    /// As <see cref="AddStickyWebSocketRedis{TBuilder}(TBuilder)"/>, configured in code alone. Call both to combine: code runs on top of what the
    /// configuration says.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Writes the options.</param>
    public static TBuilder AddStickyWebSocketRedis<TBuilder>(this TBuilder builder, Action<RedisPinOptions> configure)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketRedis(configure);
        return builder;
    }
}
