using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.Configuration;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds StickyWs to an application.</summary>
public static class StickyWsHostBuilderExtensions
{
    /// <summary>Adds the balancer, binds the section <c>StickyWs</c> and puts the sniffer in front of every listener of Kestrel.</summary>
    /// <param name="builder">The application's builder.</param>
    public static TBuilder AddStickyWebSocketBalancing<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddStickyWebSocketBalancing(builder.Configuration.GetSection(StickyWsOptions.SectionName));
    }

    /// <summary>As <see cref="AddStickyWebSocketBalancing{TBuilder}(TBuilder)"/>, bound to a section of your own.</summary>
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
    /// As <see cref="AddStickyWebSocketBalancing{TBuilder}(TBuilder)"/>, configured in code alone. Call both to combine: code runs on top
    /// of what the configuration says.
    /// </summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Writes the options.</param>
    public static TBuilder AddStickyWebSocketBalancing<TBuilder>(this TBuilder builder, Action<StickyWsOptions> configure)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddStickyWebSocketBalancing(configure);
        return builder;
    }
}
