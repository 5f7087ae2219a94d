using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.Configuration;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds StickyWs to an application.</summary>
public static class StickyWsHostBuilderExtensions
{
    /// <summary>Adds the balancer, binds the section <c>StickyWs</c> and installs the sniffer on every listener of Kestrel.</summary>
    /// <param name="builder">The application's builder.</param>
    public static TBuilder AddStickyWebSocketBalancing<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddStickyWebSocketBalancing(builder.Configuration.GetSection(StickyWsOptions.SectionName));
    }

    /// <summary>Like <see cref="AddStickyWebSocketBalancing{TBuilder}(TBuilder)"/>, but bound to the given section.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="section">The section.</param>
    public static TBuilder AddStickyWebSocketBalancing<TBuilder>(this TBuilder builder, IConfigurationSection section)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketBalancing(section);
        return builder;
    }

    /// <summary>
    /// Like <see cref="AddStickyWebSocketBalancing{TBuilder}(TBuilder)"/>, but configured in code only. Call both to combine them: code is applied on
    /// top of the configuration.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Sets the options.</param>
    public static TBuilder AddStickyWebSocketBalancing<TBuilder>(this TBuilder builder, Action<StickyWsOptions> configure)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketBalancing(configure);
        return builder;
    }
}
