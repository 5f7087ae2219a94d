using System.Globalization;
using Microsoft.Extensions.Configuration;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// Reads a configuration section key by key and collects all errors: values that do not parse, and unknown keys. The framework's binder stops at the
/// first error and ignores unknown keys; users want to see all errors, and misspelt keys are the most common.
/// </summary>
internal sealed class SectionReader(IConfigurationSection section, List<string> errors)
{
    private readonly List<string> _known = [];

    public void Text(string key, Action<string> set)
    {
        if (Value(key) is { } value) set(value);
    }

    public void Flag(string key, Action<bool> set)
    {
        if (Value(key) is not { } value) return;
        if (bool.TryParse(value, out var flag)) set(flag);
        else Wrong(key, value, "use true or false");
    }

    public void Whole(string key, Action<int> set)
    {
        if (Value(key) is not { } value) return;
        if (int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) set(number);
        else Wrong(key, value, "use a whole number");
    }

    public void Number(string key, Action<double> set)
    {
        if (Value(key) is not { } value) return;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) set(number);
        else Wrong(key, value, "use a number such as 0.5");
    }

    /// <summary>Refuses a bare number: the framework would read <c>5</c> as five days.</summary>
    public void Time(string key, Action<TimeSpan> set)
    {
        if (Value(key) is { } value) SetTime(key, value, set);
    }

    /// <summary>A time, or <c>none</c> for no limit.</summary>
    public void TimeOrNone(string key, Action<TimeSpan?> set)
    {
        if (Value(key) is not { } value) return;
        if (value.Equals("none", StringComparison.OrdinalIgnoreCase)) set(null);
        else SetTime(key, value, time => set(time));
    }

    public void Choice<TEnum>(string key, Action<TEnum> set)
        where TEnum : struct, Enum
    {
        if (Value(key) is { } value) SetChoice(key, value, set);
    }

    /// <summary>Reads a list. It replaces the previous one.</summary>
    public void List(string key, IList<string> list) => List(key, list, value => Wrong(key, value, "use a list"));

    /// <summary>The same for values that must not appear in messages.</summary>
    public void Secrets(string key, IList<string> list) => List(key, list, _ => errors.Add($"{section.Path}:{key} is a single value: use a list."));

    public void Map(string key, IDictionary<string, string> map)
    {
        if (Child(key) is not { } child) return;
        if (!string.IsNullOrEmpty(child.Value)) Wrong(key, child.Value, "use an object of names and strings");
        foreach (var item in child.GetChildren()) ReadText(item, value => map[item.Key] = value);
    }

    /// <summary>Reads an object, which may be empty: its presence is enough.</summary>
    public void Section(string key, Action<SectionReader> read)
    {
        if (Child(key) is { } child) ReadObject(child, read);
    }

    /// <summary>Reads an object, or in its place a word for the choice that matters most. Two files may bring one each.</summary>
    public void SectionOrChoice<TEnum>(string key, Action<TEnum> set, Action<SectionReader> read)
        where TEnum : struct, Enum
    {
        if (Child(key) is not { } child) return;
        if (!string.IsNullOrEmpty(child.Value)) SetChoice(key, child.Value, set, ", or an object");
        if (string.IsNullOrEmpty(child.Value) || child.GetChildren().Any()) ReadKeys(child, read);
    }

    /// <returns>Whether the key is present, even if empty.</returns>
    public bool Each(string key, Action<string, SectionReader> read)
    {
        if (Child(key) is not { } child) return false;
        if (!string.IsNullOrEmpty(child.Value)) Wrong(key, child.Value, "use an object of named objects");
        foreach (var item in child.GetChildren()) ReadObject(item, reader => read(item.Key, reader));
        return true;
    }

    /// <summary>Reads a list of objects. It replaces the previous one.</summary>
    public void EachItem(string key, Action clear, Action<SectionReader> read)
    {
        if (Child(key) is not { } child) return;
        clear();
        if (!string.IsNullOrEmpty(child.Value)) Wrong(key, child.Value, "use a list of objects");
        IConfigurationSection[] items = [.. child.GetChildren()];

        // The keys of an object would be ignored, as if they were positions.
        var isList = Array.TrueForAll(items, item => int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (isList) Array.ForEach(items, item => ReadObject(item, read));
        else errors.Add($"{child.Path} is an object: use a list of objects.");
    }

    /// <summary>Whether a section exists that is read elsewhere.</summary>
    public bool Has(string key) => Child(key) is not null;

    /// <summary>Reports the keys that were not read.</summary>
    public void End()
    {
        foreach (var child in section.GetChildren())
        {
            if (!_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                errors.Add($"{child.Path} is not an option: {Spelling.Remedy(child.Key, _known)}, or remove it.");
        }
    }

    private void List(string key, IList<string> list, Action<string> refuse)
    {
        if (Child(key) is not { } child) return;
        list.Clear();
        if (!string.IsNullOrEmpty(child.Value)) refuse(child.Value);
        foreach (var item in child.GetChildren()) ReadText(item, list.Add);
    }

    private void ReadObject(IConfigurationSection child, Action<SectionReader> read)
    {
        if (!string.IsNullOrEmpty(child.Value)) errors.Add(OptionsError.Of(child.Path, child.Value, "use an object"));
        ReadKeys(child, read);
    }

    private void ReadKeys(IConfigurationSection child, Action<SectionReader> read)
    {
        var reader = new SectionReader(child, errors);
        read(reader);
        reader.End();
    }

    private void ReadText(IConfigurationSection item, Action<string> set)
    {
        if (item.GetChildren().Any()) errors.Add($"{item.Path} is an object: use a string.");
        else set(item.Value ?? "");
    }

    private string? Value(string key)
    {
        if (Child(key) is not { } child) return null;
        if (child.GetChildren().Any()) errors.Add($"{child.Path} is an object or a list: use a single value.");
        return string.IsNullOrEmpty(child.Value) ? null : child.Value;
    }

    // Not Exists(): the framework says that an empty object, "Tcp": {}, does not exist.
    private IConfigurationSection? Child(string key)
    {
        _known.Add(key);
        return section.GetChildren().FirstOrDefault(child => child.Key.Equals(key, StringComparison.OrdinalIgnoreCase));
    }

    private void SetChoice<TEnum>(string key, string value, Action<TEnum> set, string more = "")
        where TEnum : struct, Enum
    {
        var name = Array.Find(Enum.GetNames<TEnum>(), n => n.Equals(value, StringComparison.OrdinalIgnoreCase));
        if (name is not null) set(Enum.Parse<TEnum>(name));
        else Wrong(key, value, $"use one of {string.Join(", ", Enum.GetNames<TEnum>())}{more}");
    }

    private void SetTime(string key, string value, Action<TimeSpan> set)
    {
        if (value.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time)) set(time);
        else Wrong(key, value, "use a time such as 00:00:05 (hours:minutes:seconds)");
    }

    private void Wrong(string key, string value, string remedy) => errors.Add(OptionsError.Of($"{section.Path}:{key}", value, remedy));
}
