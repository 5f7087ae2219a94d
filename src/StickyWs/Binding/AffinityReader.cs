using Microsoft.AspNetCore.Http;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>Reads <see cref="AffinityOptions"/> from a configuration section.</summary>
internal static class AffinityReader
{
    public static void Read(SectionReader reader, AffinityOptions affinity)
    {
        reader.EachItem(nameof(affinity.Rules), affinity.Rules.Clear, rule =>
        {
            var options = new AffinityRuleOptions();
            ReadRule(rule, options);
            affinity.Rules.Add(options);
        });
        reader.Time(nameof(affinity.HoldFor), v => affinity.HoldFor = v);
        reader.Flag(nameof(affinity.HoldWhenRefused), v => affinity.HoldWhenRefused = v);
        reader.Time(nameof(affinity.PinLifetime), v => affinity.PinLifetime = v);
        reader.Flag(nameof(affinity.RevealBackend), v => affinity.RevealBackend = v);
    }

    private static void ReadRule(SectionReader reader, AffinityRuleOptions rule)
    {
        reader.Section(nameof(rule.Cookie), section => ReadCookie(section, rule.Cookie = new()));
        reader.Section(nameof(rule.Header), section =>
        {
            var header = rule.Header = new();
            section.Text(nameof(header.Name), v => header.Name = v);
        });
        reader.Section(nameof(rule.Query), section =>
        {
            var query = rule.Query = new();
            section.Text(nameof(query.Name), v => query.Name = v);
        });
        reader.Section(nameof(rule.PathSegment), section =>
        {
            var segment = rule.PathSegment = new();
            section.Whole(nameof(segment.Index), v => segment.Index = v);
        });
        reader.Section(nameof(rule.ClientAddress), section =>
        {
            var address = rule.ClientAddress = new();
            section.Whole(nameof(address.IPv4PrefixLength), v => address.IPv4PrefixLength = v);
            section.Whole(nameof(address.IPv6PrefixLength), v => address.IPv6PrefixLength = v);
        });
        reader.Section(nameof(rule.SignalR), _ => rule.SignalR = new());
        reader.Section(nameof(rule.SocketIO), _ => rule.SocketIO = new());
        reader.Section(nameof(rule.Learn), section =>
        {
            var learn = rule.Learn = new();
            section.Text(nameof(learn.Cookie), v => learn.Cookie = v);
            section.Text(nameof(learn.Header), v => learn.Header = v);
        });
    }

    private static void ReadCookie(SectionReader reader, CookieAffinityOptions cookie)
    {
        reader.Text(nameof(cookie.Name), v => cookie.Name = v);
        reader.Secrets(nameof(cookie.Keys), cookie.Keys);
        reader.TimeOrNone(nameof(cookie.Lifetime), v => cookie.Lifetime = v);
        reader.Text(nameof(cookie.Path), v => cookie.Path = v);
        reader.Text(nameof(cookie.Domain), v => cookie.Domain = v);
        reader.Flag(nameof(cookie.HttpOnly), v => cookie.HttpOnly = v);
        reader.Choice<SameSiteMode>(nameof(cookie.SameSite), v => cookie.SameSite = v);
        reader.Choice<CookieSecurePolicy>(nameof(cookie.Secure), v => cookie.Secure = v);
        reader.Flag(nameof(cookie.Partitioned), v => cookie.Partitioned = v);
    }
}
