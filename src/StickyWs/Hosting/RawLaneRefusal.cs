using Microsoft.Extensions.Options;
using StickyWs.Binding;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>Where the application has a transport of its own there is no raw lane to demand.</summary>
internal sealed class RawLaneRefusal(OptionsRoot? root = null) : IValidateOptions<StickyWsOptions>
{
    public ValidateOptionsResult Validate(string? name, StickyWsOptions options)
        => options.Transport.RawLane != RawLaneMode.On
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(OptionsError.Of(
                $"{root?.Path ?? StickyWsOptions.SectionName}:Transport:RawLane", nameof(RawLaneMode.On), "use Auto or Off, for the application has an IConnectionListenerFactory of its own"));
}
