using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StickyWs.Binding;

namespace StickyWs.Redis;

/// <summary>Reads the options from a configuration section, with every error. No message contains a value that might be a password.</summary>
internal sealed class RedisPinOptionsReader(IConfigurationSection section) : IConfigureOptions<RedisPinOptions>
{
    public void Configure(RedisPinOptions options)
    {
        if (!string.IsNullOrEmpty(section.Value)) options.ReadErrors.Add($"{section.Path} is a single value: use an object with a Configuration.");
        var reader = new SectionReader(section, options.ReadErrors);
        reader.Text(nameof(options.Configuration), value => options.Configuration = value);
        reader.Text(nameof(options.KeyPrefix), value => options.KeyPrefix = value);
        reader.Text(nameof(options.User), value => options.User = value);
        reader.Text(nameof(options.Password), value => options.Password = value);
        reader.Flag(nameof(options.Tls), value => options.Tls = value);
        reader.Text(nameof(options.TlsServerName), value => options.TlsServerName = value);
        reader.Text(nameof(options.TlsCaCertificateFile), value => options.TlsCaCertificateFile = value);
        reader.Whole(nameof(options.Database), value => options.Database = value);
        reader.End();
    }
}
