using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.Redis;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Shares the pins of StickyWs through Redis.</summary>
public static class StickyWsRedisHostBuilderExtensions
{
    /// <summary>
    /// Keeps pins in Redis, where other instances find them. Reads the section <c>StickyWs:Redis</c>. May be called before or after
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
    /// As <see cref="AddStickyWebSocketRedis{TBuilder}(TBuilder)"/>, but configured in code only. Call both to combine them: code runs after the
    /// configuration is read.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Sets the options.</param>
    public static TBuilder AddStickyWebSocketRedis<TBuilder>(this TBuilder builder, Action<RedisPinOptions> configure)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketRedis(configure);
        return builder;
    }
}
